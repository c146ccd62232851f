/* SPDX-License-Identifier: MIT */
#include "amps-workload-url.h"

#include <string.h>

#define UNIX_SCHEME "unix:"

/**
 * amps_workload_url_new:
 * @address: a valid WORKLOAD_ADDRESS
 *
 * Returns: (transfer full): what may be said of it to anybody
 */
AmpsWorkloadUrl *
amps_workload_url_new (const char *address)
{
  AmpsWorkloadUrl *self = g_new0 (AmpsWorkloadUrl, 1);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GUri) bare = NULL;

  if (g_str_has_prefix (address, UNIX_SCHEME))
    {
      self->url = g_strdup ("http://localhost/");
      self->address = g_strdup (address + strlen (UNIX_SCHEME));
      return self;
    }

  uri = g_uri_parse (address, G_URI_FLAGS_ENCODED, NULL);
  bare = g_uri_build (G_URI_FLAGS_ENCODED, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri),
                      g_uri_get_port (uri), g_uri_get_path (uri), NULL, NULL);
  self->url = g_uri_to_string (bare);
  self->address = g_strdup (g_uri_get_host (uri));
  self->port = g_uri_get_port (uri);
  if (self->port < 0)
    self->port = g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;
  return self;
}

/**
 * amps_workload_url_free:
 * @self: (transfer full): what was said
 */
void
amps_workload_url_free (AmpsWorkloadUrl *self)
{
  g_free (self->url);
  g_free (self->address);
  g_free (self);
}
