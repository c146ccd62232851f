/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-dead-letter.h"

G_BEGIN_DECLS

/**
 * AmpsDeadLetterFilter:
 * @ids: (nullable): the event has one of these; any if it is %NULL or empty
 * @reason: (nullable): why it was given up
 * @type: (nullable): the event's type
 * @before: µs since 1970: it was given up by then; 0 for whenever
 * @limit: at most this many letters; 0 for all
 *
 * Which dead letters are meant. All that is set must be so.
 */
typedef struct {
  char **ids;
  char *reason;
  char *type;
  gint64 before;
  guint64 limit;
} AmpsDeadLetterFilter;

AmpsDeadLetterFilter *amps_dead_letter_filter_new (void);
AmpsDeadLetterFilter *amps_dead_letter_filter_copy (const AmpsDeadLetterFilter *self);
void amps_dead_letter_filter_free (AmpsDeadLetterFilter *self);
gboolean amps_dead_letter_filter_takes_all (const AmpsDeadLetterFilter *self);
gboolean amps_dead_letter_filter_takes (const AmpsDeadLetterFilter *self,
                                        const AmpsDeadLetter *letter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsDeadLetterFilter, amps_dead_letter_filter_free)

G_END_DECLS
