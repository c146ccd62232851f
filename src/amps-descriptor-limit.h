/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint64 amps_descriptor_limit_raise_limit (void);

G_END_DECLS
