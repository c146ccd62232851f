/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-broker.h"
#include "amps-dead-letters.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsBrokerBackend:
 * @config: what the settings have to know of it; first, so that it stands for the whole
 * @create: makes a broker that has not started
 * @create_dead_letters: makes the dead letters of the subject, which have a queue; fails with
 *   %AMPS_ERROR_INVALID_ARGUMENT if there are none to be had
 *
 * A kind of broker: all that the rest of AMPS has of it. Each folder below this one has a
 * const one, which amps-broker-factory.c lists. docs/backends.md says how to write another.
 */
typedef struct {
  AmpsConfigBackend config;
  AmpsBroker *(*create) (AmpsConfig *config, AmpsClock *clock);
  AmpsDeadLetters *(*create_dead_letters) (AmpsConfig *config, AmpsClock *clock, GError **error);
} AmpsBrokerBackend;

G_END_DECLS
