/* SPDX-License-Identifier: MIT */
#include "base/amps-uri.h"
#include "broker/amqp/amps-amqp-uri.h"
#include "config/amps-config-uri.h"

#include <string.h>

/* However a URI is written, its password is not shown; and one that is written down
 * again from its parts has the same parts. */

#define SECRET "zQ7SECRETq9"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_normalised (const char *text)
{
  g_autofree char *once = amps_uri_normalise (text);
  g_autofree char *twice = amps_uri_normalise (once);

  g_assert_cmpstr (once, ==, twice);
  g_assert_cmpint (amps_uri_check (text), ==, amps_uri_check (once));
  g_assert_cmpint (g_ascii_strcasecmp (text, once), ==, 0);
}

/* Whatever is in front of a password, and behind it. */
static void
check_redacted (const char *text)
{
  static const char *const schemes[] = { "amqp://", "amqps://", "http://", "sqlite:" };
  gsize half = strlen (text) / 2;

  /* An engine finds out what is looked for. */
  if (strstr (text, SECRET) != NULL)
    return;

  for (unsigned int i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      g_autofree char *uri = g_strdup_printf ("%suser:%.*s" SECRET "@host%s", schemes[i],
                                              (int) half, text, text + half);
      g_autofree char *redacted = amps_uri_redact (uri);
      g_autofree char *list = amps_config_uri_redact (uri);

      g_assert_null (strstr (redacted, SECRET));
      g_assert_null (strstr (list, SECRET));
    }
}

static char *
write_again (const AmpsAmqpUri *uri)
{
  g_autofree char *user = g_uri_escape_string (uri->user, NULL, FALSE);
  g_autofree char *password = g_uri_escape_string (uri->password, NULL, FALSE);
  g_autofree char *vhost = g_uri_escape_string (uri->vhost, NULL, FALSE);

  return g_strdup_printf ("amqp%s://%s:%s@%s/%s?heartbeat=%d&connection_timeout=%" G_GINT64_FORMAT
                          "&verify=%s&auth_mechanism=%s",
                          uri->tls ? "s" : "", user, password, uri->address, vhost, uri->heartbeat,
                          uri->connection_timeout / 1000,
                          uri->verify ? "verify_peer" : "verify_none",
                          uri->external ? "external" : "plain");
}

static void
check_amqp (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (text, &error);
  g_autoptr (AmpsAmqpUri) second = NULL;
  g_autofree char *again = NULL;

  if (uri == NULL)
    {
      g_assert_nonnull (error);
      return;
    }

  g_assert_true (*uri->host != '\0' && uri->port >= 1 && uri->port <= G_MAXUINT16);
  again = write_again (uri);
  second = amps_amqp_uri_parse (again, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (uri->host, ==, second->host);
  g_assert_cmpint (uri->port, ==, second->port);
  g_assert_cmpint (uri->tls, ==, second->tls);
  g_assert_cmpstr (uri->user, ==, second->user);
  g_assert_cmpstr (uri->password, ==, second->password);
  g_assert_cmpstr (uri->vhost, ==, second->vhost);
  g_assert_cmpint (uri->heartbeat, ==, second->heartbeat);
  g_assert_cmpint (uri->connection_timeout, ==, second->connection_timeout);
  g_assert_cmpint (uri->verify, ==, second->verify);
  g_assert_cmpint (uri->external, ==, second->external);
}

/* Only blanks are lost where several are told from each other. */
static void
check_split (const char *text)
{
  g_auto (GStrv) uris = amps_split_uris (text);
  g_autofree char *joined = g_strjoinv (",", uris);
  g_auto (GStrv) again = amps_split_uris (joined);

  g_assert_cmpuint (strlen (joined), <=, strlen (text));
  /* Nothing but blanks is one that is empty; nothing at all is none. */
  g_assert_true (*joined == '\0' ||
                 g_strv_equal ((const char *const *) uris, (const char *const *) again));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);

  check_normalised (text);
  check_redacted (text);
  check_split (text);
  check_amqp (text);
  return 0;
}
