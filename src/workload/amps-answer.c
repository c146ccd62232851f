/* SPDX-License-Identifier: MIT */
#include "amps-answer.h"

/**
 * amps_answer_new:
 * @kind: whether there was an answer
 * @status: its HTTP status; 0 without one
 *
 * Returns: (transfer full): an answer that says no more than that
 */
AmpsAnswer *
amps_answer_new (AmpsAnswerKind kind, unsigned int status)
{
  AmpsAnswer *self = g_new0 (AmpsAnswer, 1);

  self->kind = kind;
  self->status = status;
  self->retry_after = -1;
  return self;
}

/**
 * amps_answer_free:
 * @self: (transfer full): an answer
 */
void
amps_answer_free (AmpsAnswer *self)
{
  g_free (self->detail);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_pointer (&self->event, g_bytes_unref);
  g_clear_error (&self->problem);
  g_free (self);
}
