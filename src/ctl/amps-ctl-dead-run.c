/* SPDX-License-Identifier: MIT */
#include "amps-ctl-dead-run.h"

#include "amps-ctl-error.h"
#include "amps-ctl-progress.h"
#include "base/amps-error.h"
#include "broker/amps-broker-factory.h"

typedef struct {
  const AmpsDeadLettersRequest *request;
  AmpsCtlProgress *progress; /* (owned) */
  GAsyncResult *result;      /* (owned) (nullable) */
} Run;

static void
run_clear (Run *self)
{
  g_clear_object (&self->result);
  amps_ctl_progress_free (self->progress);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
on_progress (const AmpsDeadLettersCounts *counts, gpointer user_data)
{
  Run *self = user_data;

  amps_ctl_progress_set_total (self->progress, counts->n_there);
  amps_ctl_progress_set_done (self->progress, counts->n_seen);
}

static void
ctl_dead_run_on_letter (const AmpsDeadLetter *letter, const GError *error, gpointer user_data)
{
  const AmpsDeadLettersRequest *request = ((Run *) user_data)->request;

  if (request->on_letter != NULL)
    request->on_letter (letter, error, request->user_data);
}

static void
ctl_dead_run_on_end (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  ((Run *) user_data)->result = g_object_ref (result);
}

/* It has begun nothing, so there is nothing to be tried again. */
static void
say_unreachable (GError *error, const AmpsDeadLettersCounts *counts)
{
  if (!g_error_matches (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE) || counts->n_seen > 0)
    return;

  error->domain = AMPS_CTL_ERROR;
  error->code = AMPS_CTL_ERROR_UNREACHABLE;
}

static AmpsDeadLetters *
open_letters (AmpsCtlContext *context, GError **error)
{
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (GError) problem = NULL;
  AmpsDeadLetters *letters = amps_broker_factory_create_dead_letters (
      amps_ctl_context_get_config (context), clock, &problem);

  if (letters == NULL)
    g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_SETTINGS, problem->message);
  return letters;
}

/**
 * amps_ctl_dead_run:
 * @context: what the command has to work with
 * @label: what is done, translated
 * @request: the request; its time limit is filled in
 * @counts: (out caller-allocates): how far it came, if it failed as well
 * @error: return location
 *
 * Shows how far it is. When it is interrupted the broker still gets back what is held, so
 * that takes a moment.
 *
 * Returns: whether it came to the end
 */
gboolean
amps_ctl_dead_run (AmpsCtlContext *context, const char *label, AmpsDeadLettersRequest *request,
                   AmpsDeadLettersCounts *counts, GError **error)
{
  g_autoptr (AmpsDeadLetters) letters = open_letters (context, error);
  g_auto (Run) run = { request, amps_ctl_progress_new (label, 0), NULL };
  AmpsDeadLettersRequest own = *request;
  g_autoptr (GError) problem = NULL;

  *counts = (AmpsDeadLettersCounts){ 0 };
  if (letters == NULL)
    return FALSE;

  own.max_silence = amps_ctl_context_get_general (context)->timeout;
  own.on_letter = ctl_dead_run_on_letter;
  own.on_progress = on_progress;
  own.user_data = &run;
  amps_dead_letters_run_async (letters, &own, amps_ctl_context_get_cancellable (context),
                               ctl_dead_run_on_end, &run);
  while (run.result == NULL)
    g_main_context_iteration (NULL, TRUE);

  *counts = *amps_dead_letters_get_counts (letters);
  if (amps_dead_letters_run_finish (letters, run.result, &problem))
    return TRUE;

  say_unreachable (problem, counts);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
