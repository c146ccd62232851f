/* SPDX-License-Identifier: MIT */
#include "amps-dead-letter-filter.h"

/**
 * amps_dead_letter_filter_new:
 *
 * Returns: (transfer full): a filter that takes all
 */
AmpsDeadLetterFilter *
amps_dead_letter_filter_new (void)
{
  return g_new0 (AmpsDeadLetterFilter, 1);
}

/**
 * amps_dead_letter_filter_copy:
 * @self: a filter
 *
 * Returns: (transfer full): one that takes the same
 */
AmpsDeadLetterFilter *
amps_dead_letter_filter_copy (const AmpsDeadLetterFilter *self)
{
  AmpsDeadLetterFilter *copy = amps_dead_letter_filter_new ();

  copy->ids = g_strdupv (self->ids);
  copy->reason = g_strdup (self->reason);
  copy->type = g_strdup (self->type);
  copy->before = self->before;
  copy->limit = self->limit;
  return copy;
}

/**
 * amps_dead_letter_filter_free:
 * @self: (transfer full): a filter
 */
void
amps_dead_letter_filter_free (AmpsDeadLetterFilter *self)
{
  g_strfreev (self->ids);
  g_free (self->reason);
  g_free (self->type);
  g_free (self);
}

static gboolean
has_ids (const AmpsDeadLetterFilter *self)
{
  return self->ids != NULL && self->ids[0] != NULL;
}

/**
 * amps_dead_letter_filter_takes_all:
 * @self: a filter
 *
 * Returns: whether it takes any letter, up to its limit
 */
gboolean
amps_dead_letter_filter_takes_all (const AmpsDeadLetterFilter *self)
{
  return !has_ids (self) && self->reason == NULL && self->type == NULL && self->before == 0;
}

static gboolean
dead_letter_filter_matches (const char *wanted, const char *found)
{
  return wanted == NULL || g_strcmp0 (wanted, found) == 0;
}

static gboolean
takes_id (const AmpsDeadLetterFilter *self, const char *id)
{
  return !has_ids (self) || (id != NULL && g_strv_contains ((const char *const *) self->ids, id));
}

/* One whose time is not known may be a young one. */
static gboolean
takes_time (const AmpsDeadLetterFilter *self, gint64 time)
{
  return self->before == 0 || (time != 0 && time <= self->before);
}

/**
 * amps_dead_letter_filter_takes:
 * @self: a filter
 * @letter: a letter
 *
 * Callable from any thread. The caller counts the letters and checks the limit.
 *
 * Returns: whether @letter is one of those that are meant
 */
gboolean
amps_dead_letter_filter_takes (const AmpsDeadLetterFilter *self, const AmpsDeadLetter *letter)
{
  return takes_id (self, letter->id) && dead_letter_filter_matches (self->reason, letter->reason) &&
         dead_letter_filter_matches (self->type, letter->type) && takes_time (self, letter->time);
}
