/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-store.h"
#include "jobs/amps-dead-letter.h"

G_BEGIN_DECLS

GArray *amps_embedded_store_list_dead (AmpsEmbeddedStore *self, const char *queue, gint64 now,
                                       GError **error);
gboolean amps_embedded_store_read_dead (AmpsEmbeddedStore *self, gint64 row, const char *queue,
                                        gint64 now, gboolean with_body, AmpsDeadLetter **letter,
                                        GError **error);
gboolean amps_embedded_store_redrive (AmpsEmbeddedStore *self, gint64 row, const char *queue,
                                      GError **error);
gboolean amps_embedded_store_remove (AmpsEmbeddedStore *self, gint64 row, GError **error);

G_END_DECLS
