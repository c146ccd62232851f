/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "broker/amps-dead-letters.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsDeadLettersAmqp:
 *
 * Dead letters in a queue of RabbitMQ.
 *
 * AMQP has no way to look at a message without taking it. So one connection consumes the
 * queue, acknowledges what has gone, and gives back the rest in the end. The other one
 * publishes. A connection that dies gives all of it back: nothing is lost, but a letter whose
 * copy was confirmed and that was not acknowledged yet is there twice.
 */
#define AMPS_TYPE_DEAD_LETTERS_AMQP (amps_dead_letters_amqp_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDeadLettersAmqp, amps_dead_letters_amqp, AMPS, DEAD_LETTERS_AMQP,
                      AmpsDeadLetters)

AmpsDeadLetters *amps_dead_letters_amqp_new (AmpsConfig *config, AmpsClock *clock, GError **error);

G_END_DECLS
