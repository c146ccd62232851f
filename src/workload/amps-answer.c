/* SPDX-License-Identifier: MIT */
#include "amps-answer.h"

#include "base/amps-foreign-text.h"

#include <gio/gio.h>

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

/* In TLS 1.3 a certificate is refused after the client has sent its first bytes,
 * which the server throws away (RFC 8446, section 2). */
static gboolean
is_refused_certificate (const GError *error)
{
  return error->domain == G_TLS_ERROR && error->code != G_TLS_ERROR_EOF;
}

/* Whatever went wrong before the workload could have it is not the job's fault. */
static AmpsAnswerKind
get_failure (const GError *error, gboolean sent, gboolean timed_out)
{
  if (!sent || is_refused_certificate (error))
    return AMPS_ANSWER_UNREACHABLE;

  return timed_out ? AMPS_ANSWER_TIMED_OUT : AMPS_ANSWER_LOST;
}

/**
 * amps_answer_new_failed:
 * @error: what went wrong
 * @sent: whether the workload may have the request
 * @timed_out: whether it took too long
 *
 * Returns: (transfer full): that there was no answer, and why
 */
AmpsAnswer *
amps_answer_new_failed (const GError *error, gboolean sent, gboolean timed_out)
{
  AmpsAnswer *self = amps_answer_new (get_failure (error, sent, timed_out), 0);

  if (!timed_out)
    self->detail = amps_foreign_text_dup (error->message, -1);
  else if (!sent)
    self->detail = g_strdup ("it takes too long to connect");
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

/**
 * amps_answer_kind_to_string:
 * @kind: whether there was an answer
 *
 * Returns: (transfer none) (nullable): a word for why there was none
 */
const char *
amps_answer_kind_to_string (AmpsAnswerKind kind)
{
  static const char *const names[] = {
    [AMPS_ANSWER_STATUS] = NULL,
    [AMPS_ANSWER_UNREACHABLE] = "unreachable",
    [AMPS_ANSWER_LOST] = "connection_lost",
    [AMPS_ANSWER_TIMED_OUT] = "timeout",
  };

  return names[kind];
}
