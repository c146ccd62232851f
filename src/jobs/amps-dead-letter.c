/* SPDX-License-Identifier: MIT */
#include "amps-dead-letter.h"

/**
 * amps_dead_letter_new:
 *
 * Returns: (transfer full): a letter of which nothing is known
 */
AmpsDeadLetter *
amps_dead_letter_new (void)
{
  return g_new0 (AmpsDeadLetter, 1);
}

/**
 * amps_dead_letter_free:
 * @self: (transfer full): a letter
 */
void
amps_dead_letter_free (AmpsDeadLetter *self)
{
  g_free (self->id);
  g_free (self->source);
  g_free (self->type);
  g_free (self->reason);
  g_free (self->detail);
  g_free (self->queue);
  g_free (self->worker);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}
