/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void amps_process_metrics_append (GString *text);

G_END_DECLS
