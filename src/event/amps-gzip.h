/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean amps_gzip_check_encoding (const char *encoding, gboolean *is_gzip, GError **error);
GBytes *amps_gzip_decode (GBytes *body, gsize max_size, GError **error);
void amps_gzip_decode_async (GBytes *body, gsize max_size, GAsyncReadyCallback callback,
                             gpointer user_data);
GBytes *amps_gzip_decode_finish (GAsyncResult *result, GError **error);
gboolean amps_gzip_may_exceed (gsize length, gsize size);
gsize amps_gzip_get_bound (gsize length, gsize max_size);

G_END_DECLS
