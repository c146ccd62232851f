/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-metrics-text.h"

G_BEGIN_DECLS

void amps_process_metrics_append (GString *text, AmpsMetricsFormat format);

G_END_DECLS
