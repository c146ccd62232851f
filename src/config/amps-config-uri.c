/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-uri.h"
#include "base/amps-error.h"
#include "base/amps-uri.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#define UNIX_SCHEME "unix:"

/* The errors here say what is allowed and show nothing of the value: GUri's own
 * words quote what may be half of a password. */

static gboolean
config_uri_fail (GError **error, const char *message)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/**
 * amps_config_uri_check:
 * @uri: what should be a URI with a host
 * @like: the message for all that may be wrong but the port
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: whether @uri can be read in one way only
 */
gboolean
amps_config_uri_check (const char *uri, const char *like, GError **error)
{
  switch (amps_uri_check (uri))
    {
    case AMPS_URI_BAD_PORT:
      return config_uri_fail (error, _ ("must have a port from 1 to 65535"));
    case AMPS_URI_UNCLEAR:
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                   _ ("%s; special characters are written %%XX, in a password above all: "
                      "%%40 for @, %%3A for :, %%2F for /, %%3F for ?, %%23 for #, %%25 for %%"),
                   like);
      return FALSE;
    case AMPS_URI_CLEAR:
      return TRUE;
    }

  g_return_val_if_reached (FALSE);
}

/* One of http or https, with a host. */
static GUri *
parse_http (const char *text, const char *like, GError **error)
{
  g_autoptr (GUri) uri = NULL;

  if (!g_str_has_prefix (text, "http://") && !g_str_has_prefix (text, "https://"))
    {
      config_uri_fail (error, like);
      return NULL;
    }
  if (!amps_config_uri_check (text, like, error))
    return NULL;

  uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (uri != NULL && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0')
    return g_steal_pointer (&uri);

  config_uri_fail (error, like);
  return NULL;
}

static gboolean
parse_unix (const char *text, GError **error)
{
  const char *path = text + strlen (UNIX_SCHEME);

  return (*path == '/' && strlen (path) <= MAX_SOCKET_PATH) ||
         config_uri_fail (error, _ ("must be like unix:/path, the path at most 107 bytes"));
}

/**
 * amps_config_uri_parse_address:
 * @info: a variable
 * @text: its value: where the workload is
 * @number: (out): nothing
 * @error: return location
 *
 * Returns: whether @text is allowed
 */
gboolean
amps_config_uri_parse_address (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                               gint64 *number G_GNUC_UNUSED, GError **error)
{
  g_autoptr (GUri) uri = NULL;

  if (g_str_has_prefix (text, UNIX_SCHEME))
    return parse_unix (text, error);

  uri = parse_http (text, _ ("must be like http://localhost:5050, https://host or unix:/path"),
                    error);
  return uri != NULL;
}

/**
 * amps_config_uri_parse_base:
 * @info: a variable
 * @text: its value: a URL to which paths are appended, or unix:/path
 * @number: (out): nothing
 * @error: return location
 *
 * Others get to see it, so there must be no password in it.
 *
 * Returns: whether @text is allowed
 */
gboolean
amps_config_uri_parse_base (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                            gint64 *number G_GNUC_UNUSED, GError **error)
{
  const char *like = _ ("must be like http://host:4000 or https://host/path, without a user, a "
                        "query or a slash at its end, or like unix:/path");
  g_autoptr (GUri) uri = NULL;

  if (g_str_has_prefix (text, UNIX_SCHEME))
    return g_str_is_ascii (text) ? parse_unix (text, error) : config_uri_fail (error, like);

  uri = parse_http (text, like, error);
  if (uri == NULL)
    return FALSE;
  return (g_uri_get_userinfo (uri) == NULL && g_uri_get_query (uri) == NULL &&
          g_str_is_ascii (text) && !g_str_has_suffix (text, "/")) ||
         config_uri_fail (error, like);
}

/**
 * amps_config_uri_parse_sentry:
 * @info: a variable
 * @text: its value: where Sentry is
 * @number: (out): nothing
 * @error: return location
 *
 * Returns: whether @text is allowed
 */
gboolean
amps_config_uri_parse_sentry (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                              gint64 *number G_GNUC_UNUSED, GError **error)
{
  const char *like = _ ("must be like https://KEY@HOST/PROJECT");
  g_autoptr (GUri) uri = parse_http (text, like, error);
  const char *key = uri != NULL ? g_uri_get_userinfo (uri) : NULL;

  if (uri == NULL)
    return FALSE;
  return (key != NULL && *key != '\0' && strlen (g_uri_get_path (uri)) > 1 &&
          !g_str_has_suffix (g_uri_get_path (uri), "/")) ||
         config_uri_fail (error, like);
}

/**
 * amps_config_uri_parse_collector:
 * @info: a variable
 * @text: its value: where traces go
 * @number: (out): nothing
 * @error: return location
 *
 * Returns: whether @text is allowed
 */
gboolean
amps_config_uri_parse_collector (const AmpsVariableInfo *info G_GNUC_UNUSED, const char *text,
                                 gint64 *number G_GNUC_UNUSED, GError **error)
{
  const char *like = _ ("must be like http://collector:4318 or https://host/path, without a user, "
                        "a query or a fragment");
  g_autoptr (GUri) uri = parse_http (text, like, error);

  if (uri == NULL)
    return FALSE;
  return (g_uri_get_userinfo (uri) == NULL && g_uri_get_query (uri) == NULL &&
          g_uri_get_fragment (uri) == NULL) ||
         config_uri_fail (error, like);
}

static char *
join_each (const char *text, char *(*func) (const char *uri))
{
  g_auto (GStrv) uris = amps_split_uris (text);

  for (char **uri = uris; *uri != NULL; uri++)
    {
      g_autofree char *before = *uri;

      *uri = func (before);
    }

  return g_strjoinv (",", uris);
}

/**
 * amps_config_uri_normalise:
 * @kind: of a variable
 * @text: its value, allowed or not
 *
 * Returns: (transfer full): @text, with the schemes in lower case if it is of
 *   URIs, so that nobody else needs to care
 */
char *
amps_config_uri_normalise (AmpsVariableKind kind, const char *text)
{
  if (kind == KIND_BROKER_URIS)
    return join_each (text, amps_uri_normalise);
  if (kind == KIND_ADDRESS || kind == KIND_BASE_URL || kind == KIND_SENTRY_DSN ||
      kind == KIND_COLLECTOR)
    return amps_uri_normalise (text);
  return g_strdup (text);
}

/* A comma in front of a scheme may stand in a password, too. */
static gboolean
are_clear (const char *text)
{
  g_auto (GStrv) uris = amps_split_uris (text);

  for (unsigned int i = 0; uris[i] != NULL; i++)
    {
      if (amps_uri_check (uris[i]) != AMPS_URI_CLEAR && uris[1] != NULL)
        return FALSE;
    }

  return TRUE;
}

/**
 * amps_config_uri_format_api:
 * @port: PORT
 * @socket_path: (nullable): API_SOCKET
 *
 * Returns: (transfer full): where the API is, on this host
 */
char *
amps_config_uri_format_api (gint64 port, const char *socket_path)
{
  if (port == 0)
    return g_strconcat ("unix:", socket_path, NULL);

  /* An address: a minimal container cannot look up any name. */
  return g_strdup_printf ("http://127.0.0.1:%d", (int) port);
}

/**
 * amps_config_uri_redact:
 * @text: URIs separated by commas, valid or not
 *
 * Returns: (transfer full): @text with `***` for what may be secret
 */
char *
amps_config_uri_redact (const char *text)
{
  return join_each (text, are_clear (text) ? amps_uri_redact : amps_uri_hide);
}

static gboolean
begins_uri (const char *text)
{
  g_autofree char *scheme = NULL;

  while (g_ascii_isspace (*text))
    text++;
  scheme = g_uri_parse_scheme (text);

  return scheme != NULL && g_str_has_prefix (text + strlen (scheme), "://");
}

static const char *
find_end_of_uri (const char *text)
{
  const char *end = strchr (text, ',');

  while (end != NULL && !begins_uri (end + 1))
    end = strchr (end + 1, ',');

  return end != NULL ? end : text + strlen (text);
}

/**
 * amps_split_uris:
 * @text: URIs separated by commas
 *
 * A comma may stand in a password, too: it separates only in front of a scheme.
 *
 * Returns: (transfer full): the URIs, without the blanks around them
 */
char **
amps_split_uris (const char *text)
{
  g_autoptr (GStrvBuilder) uris = g_strv_builder_new ();
  const char *begin = text;

  /* A GRegex would be the only one, and its library takes 300 KiB once it is used. */
  while (*begin != '\0')
    {
      const char *end = find_end_of_uri (begin);
      g_autofree char *uri = g_strndup (begin, (gsize) (end - begin));

      g_strv_builder_add (uris, g_strstrip (uri));
      begin = *end == ',' ? end + 1 : end;
    }

  return g_strv_builder_end (uris);
}
