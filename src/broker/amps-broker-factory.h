/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-broker.h"
#include "amps-dead-letters.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

const AmpsConfigBackend *const *amps_broker_factory_get_backends (void);
AmpsBroker *amps_broker_factory_create (AmpsConfig *config, AmpsClock *clock);
AmpsDeadLetters *amps_broker_factory_create_dead_letters (AmpsConfig *config, AmpsClock *clock,
                                                          GError **error);

G_END_DECLS
