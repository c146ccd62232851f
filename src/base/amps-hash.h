/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint32 amps_hash_bytes (GBytes *bytes);

G_END_DECLS
