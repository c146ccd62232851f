/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of a timestamp with its end. */
#define AMPS_TIMESTAMP_SIZE sizeof "9999-12-31T23:59:59.999999Z"

gboolean amps_timestamp_write (gint64 real, unsigned int n_digits,
                               char buffer[AMPS_TIMESTAMP_SIZE]);
char *amps_timestamp_format (gint64 real, unsigned int n_digits);

G_END_DECLS
