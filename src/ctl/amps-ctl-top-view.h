/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-metrics.h"
#include "amps-ctl-output.h"

G_BEGIN_DECLS

/**
 * AmpsCtlTopView:
 * @details: how AMPS is
 * @jobs: of amps_ctl_job_list_ask()
 * @latest: (nullable): its metrics
 * @previous: (nullable): those of the last look before; rates are since then
 * @oldest: (nullable): those since which latencies are; %NULL for the start of AMPS
 * @no_metrics: (nullable): why there are none
 *
 * What `ampsctl top` shows.
 */
typedef struct {
  JsonNode *details;
  JsonNode *jobs;
  AmpsCtlMetrics *latest;
  AmpsCtlMetrics *previous;
  AmpsCtlMetrics *oldest;
  char *no_metrics;
} AmpsCtlTopView;

void amps_ctl_top_view_render (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines,
                               unsigned int width);
JsonNode *amps_ctl_top_view_describe (const AmpsCtlTopView *self);

G_END_DECLS
