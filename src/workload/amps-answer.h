/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * AmpsAnswerKind:
 * @AMPS_ANSWER_STATUS: the workload answered, see @status
 * @AMPS_ANSWER_UNREACHABLE: the request could not be sent, so the workload has not seen the job
 * @AMPS_ANSWER_LOST: the connection broke after the request was (perhaps partly) sent
 * @AMPS_ANSWER_TIMED_OUT: no answer within the time
 */
typedef enum {
  AMPS_ANSWER_STATUS,
  AMPS_ANSWER_UNREACHABLE,
  AMPS_ANSWER_LOST,
  AMPS_ANSWER_TIMED_OUT,
} AmpsAnswerKind;

/**
 * AmpsAnswer:
 * @kind: whether there was an answer at all
 * @status: its HTTP status, with %AMPS_ANSWER_STATUS
 * @retry_after: µs that the workload asks to wait; -1 when it does not
 * @length: bytes of its body, as far as it was read
 * @detail: (nullable): for people: the beginning of the answer's body
 *   UTF-8, or what went wrong with the connection
 * @body: (nullable): the whole answer to a sync POST that was not a CloudEvent
 * @event: (nullable): the CloudEvent, in structured mode, that answered a sync POST
 * @problem: (nullable): why the answer to a sync POST can't be used, such as what
 *   calls itself a CloudEvent and is none
 *
 * What became of a POST to the workload.
 */
typedef struct {
  AmpsAnswerKind kind;
  unsigned int status;
  gint64 retry_after;
  gsize length;
  char *detail;
  GBytes *body;
  GBytes *event;
  GError *problem;
} AmpsAnswer;

AmpsAnswer *amps_answer_new (AmpsAnswerKind kind, unsigned int status);
AmpsAnswer *amps_answer_new_failed (const GError *error, gboolean sent, gboolean timed_out);
void amps_answer_free (AmpsAnswer *self);
const char *amps_answer_kind_to_string (AmpsAnswerKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAnswer, amps_answer_free)

G_END_DECLS
