/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsConfigBackend:
 * @name: what BROKER_TYPE calls it
 * @tracing_system: `messaging.system` of its spans, as OpenTelemetry's conventions have it
 * @example: a URI, or several separated by `, `, for the user who has written another one
 * @schemes: what its URIs begin with, each with its colon, and `//` if a host follows
 * @has_authority: whether a URI names a user and a host, as of RFC 3986; what could be read
 *   in more than one way is refused then, since half of a password might be shown as the host
 * @max_queue_name: the longest name of a queue, in bytes
 * @check_uri: whether the backend can make sense of a URI that has one of @schemes; says what
 *   is wrong with it, %AMPS_ERROR_INVALID_ARGUMENT, without showing it
 *
 * What the settings have to know of a kind of broker. There is a const one of each.
 */
typedef struct {
  const char *name;
  const char *tracing_system;
  const char *example;
  const char *schemes[4];
  gboolean has_authority;
  gsize max_queue_name;
  gboolean (*check_uri) (const char *uri, GError **error);
} AmpsConfigBackend;

gboolean amps_config_backend_find (const AmpsConfigBackend *const *backends, const char *name,
                                   gint64 *index, GError **error);
gboolean amps_config_backend_check_uris (const AmpsConfigBackend *const *backends, const char *text,
                                         gint64 *index, GError **error);
char *amps_config_backend_find_name_problem (const AmpsConfigBackend *self, const char *name,
                                             const char *suffix);

G_END_DECLS
