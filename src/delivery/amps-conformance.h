/* SPDX-License-Identifier: MIT */
#pragma once

#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

void amps_conformance_note (AmpsMetrics *metrics, const AmpsEventFaults *faults);

G_END_DECLS
