/* SPDX-License-Identifier: MIT */
#pragma once

#include "metrics/amps-metrics-text.h"

G_BEGIN_DECLS

AmpsMetricsFormat amps_metrics_accept_choose (const char *accept);
const char *amps_metrics_accept_get_content_type (AmpsMetricsFormat format);

G_END_DECLS
