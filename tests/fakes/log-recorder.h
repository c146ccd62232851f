/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void log_recorder_start (void);
char *log_recorder_take (void);

G_END_DECLS
