/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-sentry-dsn.h"

#include <string.h>

/**
 * amps_sentry_dsn_new:
 * @text: `https://KEY@HOST/PROJECT`, checked before. A path may come before the project, and
 *   a password, which old versions of Sentry had, behind the key
 *
 * Returns: (transfer full): what it says
 */
AmpsSentryDsn *
amps_sentry_dsn_new (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, NULL);
  const char *path = g_uri_get_path (uri);
  const char *project = strrchr (path, '/') + 1;
  g_autofree char *prefix = g_strndup (path, (gsize) (project - path));
  g_autofree char *envelopes = g_strconcat (prefix, "api/", project, "/envelope/", NULL);
  AmpsSentryDsn *self = g_new (AmpsSentryDsn, 1);

  self->url = g_uri_join (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri),
                          g_uri_get_port (uri), envelopes, NULL, NULL);
  self->auth = g_strdup_printf ("Sentry sentry_version=7, sentry_client=amps/%s, sentry_key=%s",
                                AMPS_VERSION, g_uri_get_user (uri));
  return self;
}

/**
 * amps_sentry_dsn_free:
 * @self: (transfer full): what a setting said
 */
void
amps_sentry_dsn_free (AmpsSentryDsn *self)
{
  g_free (self->url);
  g_free (self->auth);
  g_free (self);
}
