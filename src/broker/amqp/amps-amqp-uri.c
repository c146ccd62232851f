/* SPDX-License-Identifier: MIT */
#include "amps-amqp-uri.h"

#include "base/amps-error.h"
#include "base/amps-uri.h"

#include <string.h>

#define DEFAULT_PORT 5672
#define DEFAULT_TLS_PORT 5671
/* Short enough to find a dead peer within a minute. */
#define DEFAULT_HEARTBEAT 30
#define DEFAULT_CONNECTION_TIMEOUT (10 * G_USEC_PER_SEC)

/**
 * amps_amqp_uri_free:
 * @self: (transfer full): a URI
 */
void
amps_amqp_uri_free (AmpsAmqpUri *self)
{
  g_free (self->host);
  g_free (self->user);
  g_free (self->password);
  g_free (self->vhost);
  g_free (self->ca_file);
  g_free (self->certificate_file);
  g_free (self->key_file);
  g_free (self->address);
  g_free (self);
}

/* Says nothing of the value: it may be a path that is nobody's business. */
static gboolean
amqp_uri_fail (GError **error, const char *what)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "the broker's URI %s", what);
  return FALSE;
}

static gboolean
amqp_uri_parse_number (const char *text, guint64 maximum, guint64 *number, const char *what,
                       GError **error)
{
  return g_ascii_string_to_unsigned (text, 10, 0, maximum, number, NULL) ||
         amqp_uri_fail (error, what);
}

static gboolean
set_verify (AmpsAmqpUri *self, const char *value, GError **error)
{
  self->verify = strcmp (value, "verify_peer") == 0;
  return self->verify || strcmp (value, "verify_none") == 0 ||
         amqp_uri_fail (error, "has a verify that is neither verify_peer nor verify_none");
}

static gboolean
set_auth_mechanism (AmpsAmqpUri *self, const char *value, GError **error)
{
  self->external = g_ascii_strcasecmp (value, "external") == 0;
  return self->external || g_ascii_strcasecmp (value, "plain") == 0 ||
         g_ascii_strcasecmp (value, "amqplain") == 0 ||
         amqp_uri_fail (error, "has an auth_mechanism that is neither plain nor external");
}

/* See https://www.rabbitmq.com/docs/uri-query-parameters */
static gboolean
amqp_uri_set_parameter (AmpsAmqpUri *self, const char *name, const char *value, GError **error)
{
  guint64 number = 0;

  if (strcmp (name, "heartbeat") == 0)
    {
      if (!amqp_uri_parse_number (value, G_MAXUINT16, &number,
                                  "has a heartbeat that is not seconds", error))
        return FALSE;
      self->heartbeat = (int) number;
      return TRUE;
    }

  if (strcmp (name, "connection_timeout") == 0)
    {
      if (!amqp_uri_parse_number (value, 3600 * 1000, &number,
                                  "has a connection_timeout that is not milliseconds", error))
        return FALSE;
      self->connection_timeout = MAX ((gint64) number, 1) * 1000;
      return TRUE;
    }

  if (strcmp (name, "verify") == 0)
    return set_verify (self, value, error);
  if (strcmp (name, "auth_mechanism") == 0)
    return set_auth_mechanism (self, value, error);

  if (strcmp (name, "server_name_indication") == 0)
    return g_strcmp0 (value, self->host) == 0 ||
           amqp_uri_fail (error, "has a server_name_indication other than its host, which the AMQP "
                                 "library can't send; connect by that name instead");

  char **path = strcmp (name, "cacertfile") == 0 ? &self->ca_file
                : strcmp (name, "certfile") == 0 ? &self->certificate_file
                : strcmp (name, "keyfile") == 0  ? &self->key_file
                                                 : NULL;

  /* What other clients understand does no harm here. */
  if (path != NULL)
    {
      g_free (*path);
      *path = g_strdup (value);
    }
  return TRUE;
}

static gboolean
amqp_uri_set_parameters (AmpsAmqpUri *self, const char *query, GError **error)
{
  GUriParamsIter iter;
  g_autoptr (GError) parse_error = NULL;

  if (query == NULL)
    return TRUE;

  g_uri_params_iter_init (&iter, query, -1, "&", G_URI_PARAMS_NONE);
  while (TRUE)
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;

      if (!g_uri_params_iter_next (&iter, &name, &value, &parse_error))
        return parse_error == NULL || amqp_uri_fail (error, "has a query that can't be read");
      if (!amqp_uri_set_parameter (self, name, value, error))
        return FALSE;
    }
}

static gboolean
set_vhost (AmpsAmqpUri *self, const char *path, GError **error)
{
  if (path == NULL || strlen (path) <= 1)
    {
      self->vhost = g_strdup ("/");
      return TRUE;
    }

  self->vhost = strchr (path + 1, '/') == NULL ? g_uri_unescape_string (path + 1, NULL) : NULL;
  return self->vhost != NULL ||
         amqp_uri_fail (error,
                        "has more than one slash in its path; a slash in the name of a virtual "
                        "host is written %2f");
}

static gboolean
amqp_uri_split (AmpsAmqpUri *self, const char *uri, char **path, char **query, GError **error)
{
  AmpsUriFault fault = amps_uri_check (uri);

  self->tls = g_ascii_strncasecmp (uri, "amqps://", strlen ("amqps://")) == 0;
  if (!self->tls && g_ascii_strncasecmp (uri, "amqp://", strlen ("amqp://")) != 0)
    return amqp_uri_fail (error, "begins with neither amqp:// nor amqps://");

  if (fault == AMPS_URI_BAD_PORT)
    return amqp_uri_fail (error, "must have a port from 1 to 65535");

  if (fault != AMPS_URI_CLEAR ||
      !g_uri_split_with_user (
          uri, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY,
          NULL, &self->user, &self->password, NULL, &self->host, &self->port, path, query, NULL,
          NULL))
    return amqp_uri_fail (error,
                          "can't be read; special characters in the password are written %XX");

  /* The user is shown where it is refused. */
  return self->user == NULL || self->password != NULL || strchr (self->user, ':') == NULL ||
         amqp_uri_fail (error, "has no password; the colon in front of one is not written %3A");
}

/**
 * amps_amqp_uri_parse:
 * @uri: as of https://www.rabbitmq.com/docs/uri-spec
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT, without any secret
 *
 * Returns: (transfer full) (nullable): what it says
 */
AmpsAmqpUri *
amps_amqp_uri_parse (const char *uri, GError **error)
{
  g_autoptr (AmpsAmqpUri) self = g_new0 (AmpsAmqpUri, 1);
  g_autofree char *path = NULL;
  g_autofree char *query = NULL;

  if (!amqp_uri_split (self, uri, &path, &query, error))
    return NULL;

  if (self->host == NULL || *self->host == '\0')
    {
      g_free (self->host);
      self->host = g_strdup ("localhost");
    }
  if (self->port <= 0)
    self->port = self->tls ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  if (self->user == NULL)
    self->user = g_strdup ("guest");
  if (self->password == NULL)
    self->password = g_strdup ("guest");
  self->heartbeat = DEFAULT_HEARTBEAT;
  self->connection_timeout = DEFAULT_CONNECTION_TIMEOUT;
  self->verify = TRUE;
  self->address = strchr (self->host, ':') != NULL
                      ? g_strdup_printf ("[%s]:%d", self->host, self->port)
                      : g_strdup_printf ("%s:%d", self->host, self->port);

  if (!set_vhost (self, path, error) || !amqp_uri_set_parameters (self, query, error))
    return NULL;

  return g_steal_pointer (&self);
}
