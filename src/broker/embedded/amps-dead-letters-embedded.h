/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "broker/amps-dead-letters.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsDeadLettersEmbedded:
 *
 * Dead letters in a file. A portion of them goes in one transaction: it is done, or it is not.
 */
#define AMPS_TYPE_DEAD_LETTERS_EMBEDDED (amps_dead_letters_embedded_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDeadLettersEmbedded, amps_dead_letters_embedded, AMPS,
                      DEAD_LETTERS_EMBEDDED, AmpsDeadLetters)

AmpsDeadLetters *amps_dead_letters_embedded_new (AmpsConfig *config, AmpsClock *clock,
                                                 GError **error);

G_END_DECLS
