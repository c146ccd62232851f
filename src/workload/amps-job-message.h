/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-body-stream.h"
#include "amps-endpoint.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

SoupMessage *amps_job_message_new (AmpsConfig *config, AmpsClock *clock, AmpsEndpoint *endpoint,
                                   GPtrArray *jobs, AmpsBodyStream **body);

G_END_DECLS
