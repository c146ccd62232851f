/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many descriptors the process has open, and always one more. */
unsigned int count_open_descriptors (void);

/* Sets the soft limit, and returns the one before. */
guint64 limit_open_descriptors (guint64 limit);

G_END_DECLS
