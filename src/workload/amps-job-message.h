/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config.h"
#include "core/amps-clock.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

SoupMessage *amps_job_message_new (AmpsConfig *config, AmpsClock *clock, GUri *uri,
                                   GPtrArray *jobs);

G_END_DECLS
