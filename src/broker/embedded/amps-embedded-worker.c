/* SPDX-License-Identifier: MIT */
#include "amps-embedded-worker.h"

#include "amps-embedded-watch.h"
#include "core/amps-backoff.h"
#include "core/amps-error.h"

#include <glib-unix.h>

#define MIN_BACKOFF (G_USEC_PER_SEC / 10)
#define MAX_BACKOFF (5 * G_USEC_PER_SEC)

/* Other AMPS announce what they commit; this is for what nobody announces. */
#define MAX_SLEEP (2 * G_USEC_PER_SEC)

struct _AmpsEmbeddedWorker {
  const AmpsEmbeddedSettings *settings; /* outlives the worker */
  AmpsMailbox *events;                  /* of the main thread, outlives the worker */
  AmpsMailbox *commands;                /* (owned) */
  GThread *thread;                      /* (owned) */
  GMainContext *context;                /* (owned) of the worker */

  /* Of the worker's thread alone: */
  GMainLoop *loop;
  AmpsEmbeddedWatch *watch; /* (owned) */
  AmpsEmbeddedStore *store; /* (owned) (nullable) while it can't be opened */
  GSource *timer;           /* (owned) due when there is work */
  GQueue batch;             /* (owned) of AmpsEmbeddedCommand, in order, to be committed */
  char *owner;              /* (owned) changes when the leases are lost */
  unsigned int n_held;      /* claimed and not settled */
  gint64 lease_end;         /* µs since 1970: of all that is held */
  gboolean consuming;
  gboolean stopping;
  unsigned int prefetch;
  unsigned int failures;
  gboolean problem; /* the main thread was told of one */
};

static void
tell (AmpsEmbeddedWorker *self, AmpsEmbeddedEventKind kind, guint64 id, GError *error)
{
  AmpsEmbeddedEvent *event = amps_embedded_event_new (kind, id, error);

  amps_mailbox_send (self->events, &event->mail);
}

static void
wake_at (AmpsEmbeddedWorker *self, gint64 real_time)
{
  gint64 wait = CLAMP (real_time - g_get_real_time (), 0, MAX_SLEEP);

  g_source_set_ready_time (self->timer, g_get_monotonic_time () + wait);
}

static void
wake_now (AmpsEmbeddedWorker *self)
{
  g_source_set_ready_time (self->timer, 0);
}

static void
new_owner (AmpsEmbeddedWorker *self)
{
  g_free (self->owner);
  self->owner = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  self->n_held = 0;
}

/* One transaction for all that came since the last */

static gboolean
apply (AmpsEmbeddedWorker *self, AmpsEmbeddedCommand *command, gint64 now, GError **error)
{
  if (command->kind == AMPS_EMBEDDED_COMMAND_PUBLISH)
    return amps_embedded_store_publish (self->store, command->queue, command->body, now, error);

  return amps_embedded_store_settle (self->store, command->job, self->owner, &command->settlement,
                                     self->settings->dead_letters, now, &command->was_own, error);
}

static gboolean
apply_all (AmpsEmbeddedWorker *self, gint64 now, GError **error)
{
  for (GList *l = self->batch.head; l != NULL; l = l->next)
    {
      if (!apply (self, l->data, now, error))
        return FALSE;
    }

  return TRUE;
}

/* What a transaction leads to, if it is committed. */
typedef struct {
  GPtrArray *jobs;     /* (owned) (nullable) claimed */
  unsigned int n_held; /* with those */
  gint64 lease_end;
  gboolean lost; /* others have jobs that were held */
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->jobs, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
count_settled (AmpsEmbeddedWorker *self, Outcome *outcome)
{
  for (GList *l = self->batch.head; l != NULL; l = l->next)
    {
      const AmpsEmbeddedCommand *command = l->data;

      if (command->kind == AMPS_EMBEDDED_COMMAND_SETTLE && command->was_own)
        outcome->n_held--;
    }
}

static gint64
get_renewal (AmpsEmbeddedWorker *self)
{
  return self->lease_end - self->settings->lease * 2 / 3;
}

/* All leases end together, so that one statement renews them. A lease that has
 * ended is taken up again unless another process has the job: after a suspension
 * nobody knows which of them, so all go back, and those that come again are
 * attached to what runs. */
static gboolean
renew (AmpsEmbeddedWorker *self, gint64 now, Outcome *outcome, GError **error)
{
  unsigned int n_renewed;

  if (outcome->n_held > 0 && now < get_renewal (self))
    return TRUE;

  outcome->lease_end = now + self->settings->lease;
  if (outcome->n_held == 0)
    return TRUE;

  if (!amps_embedded_store_renew (self->store, self->owner, outcome->lease_end, &n_renewed, error))
    return FALSE;
  if (n_renewed == outcome->n_held)
    return TRUE;

  outcome->lost = TRUE;
  outcome->n_held = 0;
  return amps_embedded_store_give_up (self->store, self->owner, error);
}

static gboolean
claim (AmpsEmbeddedWorker *self, gint64 now, Outcome *outcome, GError **error)
{
  /* What was lost has to be told before anything new comes. */
  if (outcome->lost || !self->consuming || self->stopping || outcome->n_held >= self->prefetch)
    return TRUE;

  outcome->jobs =
      amps_embedded_store_claim (self->store, self->settings->subject, self->owner, now,
                                 outcome->lease_end, self->prefetch - outcome->n_held, error);
  if (outcome->jobs == NULL)
    return FALSE;

  outcome->n_held += outcome->jobs->len;
  return TRUE;
}

/* All but an acknowledgement puts a job where others may want it. */
static gboolean
is_news (const Outcome *outcome, const GQueue *batch)
{
  for (const GList *l = batch->head; l != NULL; l = l->next)
    {
      const AmpsEmbeddedCommand *command = l->data;

      if (command->kind == AMPS_EMBEDDED_COMMAND_PUBLISH ||
          command->settlement.kind != AMPS_SETTLE_ACKNOWLEDGE)
        return TRUE;
    }

  return outcome->lost;
}

static void
tell_committed (AmpsEmbeddedWorker *self)
{
  AmpsEmbeddedCommand *command;

  while ((command = g_queue_pop_head (&self->batch)) != NULL)
    {
      GError *error = NULL;

      if (command->kind == AMPS_EMBEDDED_COMMAND_SETTLE && !command->was_own)
        error =
            g_error_new_literal (AMPS_ERROR, AMPS_ERROR_DETACHED, "the lease on the job had ended");
      if (command->id != 0)
        tell (self, AMPS_EMBEDDED_EVENT_DONE, command->id, error);
      else
        g_clear_error (&error);
      amps_embedded_command_free (command);
    }
}

/* Publications are told that they failed. Settlements nobody may forget are
 * tried again; those that somebody waits for, he tries again. */
static void
tell_failed (AmpsEmbeddedWorker *self, const GError *error)
{
  GList *next;

  for (GList *l = self->batch.head; l != NULL; l = next)
    {
      AmpsEmbeddedCommand *command = l->data;

      next = l->next;
      if (command->id == 0)
        continue;

      tell (self, AMPS_EMBEDDED_EVENT_DONE, command->id, g_error_copy (error));
      amps_embedded_command_free (command);
      g_queue_delete_link (&self->batch, l);
    }
}

static void
tell_claimed (AmpsEmbeddedWorker *self, const GPtrArray *jobs)
{
  for (unsigned int i = 0; jobs != NULL && i < jobs->len; i++)
    {
      AmpsEmbeddedEvent *event =
          amps_embedded_event_new_job (g_ptr_array_index (jobs, i), self->settings->max_body_size);

      amps_mailbox_send (self->events, &event->mail);
    }
}

static gboolean
transact (AmpsEmbeddedWorker *self, gint64 now, Outcome *outcome, GError **error)
{
  if (!amps_embedded_store_begin (self->store, error) || !apply_all (self, now, error))
    return FALSE;

  count_settled (self, outcome);
  return renew (self, now, outcome, error) && claim (self, now, outcome, error) &&
         amps_embedded_store_commit (self->store, error);
}

static void
note_success (AmpsEmbeddedWorker *self)
{
  self->failures = 0;
  if (self->problem)
    tell (self, AMPS_EMBEDDED_EVENT_OPENED, 0, NULL);
  self->problem = FALSE;
}

static void
tell_outcome (AmpsEmbeddedWorker *self, Outcome *outcome)
{
  note_success (self);
  if (is_news (outcome, &self->batch))
    amps_embedded_watch_announce (self->watch);

  self->n_held = outcome->n_held;
  self->lease_end = outcome->lease_end;
  tell_committed (self);
  if (outcome->lost)
    {
      new_owner (self);
      tell (self, AMPS_EMBEDDED_EVENT_LOST, 0, NULL);
    }
  tell_claimed (self, outcome->jobs);
}

/* Looking costs less than a transaction, which locks others out. */
static gboolean
find_next (AmpsEmbeddedWorker *self, gint64 now, gint64 *next, GError **error)
{
  gint64 due = -1;

  if (!amps_embedded_store_is_in_place (self->store, error) ||
      (self->consuming && self->n_held < self->prefetch &&
       !amps_embedded_store_get_next_due (self->store, self->settings->subject, &due, error)))
    return FALSE;

  *next = due >= 0 ? due : now + MAX_SLEEP;
  if (self->n_held > 0)
    *next = MIN (*next, get_renewal (self));
  return TRUE;
}

static gboolean
work (AmpsEmbeddedWorker *self, gint64 now, GError **error)
{
  g_auto (Outcome) outcome = { NULL, self->n_held, self->lease_end, FALSE };
  gint64 next;

  /* Cleared before the look: what is announced after it wakes again. */
  amps_embedded_watch_clear (self->watch);
  if (!find_next (self, now, &next, error))
    return FALSE;

  if (self->batch.head != NULL || next <= now)
    {
      if (!transact (self, now, &outcome, error))
        return FALSE;

      tell_outcome (self, &outcome);
      amps_embedded_watch_clear (self->watch);
      if (!find_next (self, now, &next, error))
        return FALSE;
    }

  note_success (self);
  wake_at (self, next);
  return TRUE;
}

static gboolean
open_store (AmpsEmbeddedWorker *self, gint64 now, GError **error)
{
  self->store = amps_embedded_store_open (self->settings->path, self->settings->durable, error);
  if (self->store == NULL)
    return FALSE;

  amps_embedded_watch_follow (self->watch, amps_embedded_store_get_log (self->store));
  /* It may be another file than before: the renewal that is due now tells. */
  self->lease_end = MIN (self->lease_end, now + self->settings->lease / 3);
  return TRUE;
}

/* What could not be committed stays in the batch, and in the file as it was. */
static void
note_problem (AmpsEmbeddedWorker *self, const GError *error)
{
  gint64 delay = amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, ++self->failures);

  if (self->store != NULL)
    {
      amps_embedded_store_roll_back (self->store);
      if (amps_embedded_store_is_broken (self->store))
        g_clear_pointer (&self->store, amps_embedded_store_close);
    }

  self->problem = TRUE;
  tell (self, AMPS_EMBEDDED_EVENT_PROBLEM, 0, g_error_copy (error));
  tell_failed (self, error);
  g_source_set_ready_time (self->timer, g_get_monotonic_time () + delay);
}

static gboolean
on_timer (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  gint64 now = g_get_real_time ();
  g_autoptr (GError) error = NULL;

  g_source_set_ready_time (self->timer, -1);
  if ((self->store == NULL && !open_store (self, now, &error)) || !work (self, now, &error))
    note_problem (self, error);

  if (self->stopping)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_announced (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;

  amps_embedded_watch_clear (self->watch);
  if (!self->problem && self->consuming && self->n_held < self->prefetch)
    wake_now (self);
  return G_SOURCE_CONTINUE;
}

static void
on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  AmpsEmbeddedCommand *command = (AmpsEmbeddedCommand *) mail;

  /* While the file can't be used, its problem has a pace of its own. */
  if (!self->problem || command->kind == AMPS_EMBEDDED_COMMAND_STOP)
    wake_now (self);

  switch (command->kind)
    {
    case AMPS_EMBEDDED_COMMAND_CONSUME:
      self->consuming = command->consuming;
      self->prefetch = command->prefetch;
      amps_embedded_command_free (command);
      break;
    case AMPS_EMBEDDED_COMMAND_STOP:
      self->stopping = TRUE;
      amps_embedded_command_free (command);
      break;
    case AMPS_EMBEDDED_COMMAND_PUBLISH:
    case AMPS_EMBEDDED_COMMAND_SETTLE:
    default:
      g_queue_push_tail (&self->batch, command);
    }
}

static gboolean
timer_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static GSource *
watch_others (AmpsEmbeddedWorker *self)
{
  GSource *source;

  if (amps_embedded_watch_get_fd (self->watch) < 0)
    return NULL;

  source = g_unix_fd_source_new (amps_embedded_watch_get_fd (self->watch), G_IO_IN);
  g_source_set_callback (source, (GSourceFunc) (void (*) (void)) on_announced, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
close_store (AmpsEmbeddedWorker *self)
{
  if (self->store == NULL)
    return;

  if (amps_embedded_store_give_up (self->store, self->owner, NULL))
    amps_embedded_watch_announce (self->watch);
  g_clear_pointer (&self->store, amps_embedded_store_close);
}

static gpointer
serve (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  GSource *others;

  g_main_context_push_thread_default (self->context);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "embedded broker");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  self->watch = amps_embedded_watch_new ();
  others = watch_others (self);
  self->problem = TRUE;

  wake_now (self);
  g_main_loop_run (self->loop);

  close_store (self);
  if (others != NULL)
    g_source_destroy (others);
  g_clear_pointer (&others, g_source_unref);
  amps_embedded_watch_free (self->watch);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (self->context);
  tell (self, AMPS_EMBEDDED_EVENT_CLOSED, 0, NULL);
  return NULL;
}

/* In the main thread */

/**
 * amps_embedded_worker_new:
 * @settings: outlives the worker
 * @events: gets what the worker has to tell; outlives the worker
 *
 * Returns: (transfer full): a worker that is opening the file
 */
AmpsEmbeddedWorker *
amps_embedded_worker_new (const AmpsEmbeddedSettings *settings, AmpsMailbox *events)
{
  AmpsEmbeddedWorker *self = g_new0 (AmpsEmbeddedWorker, 1);

  self->settings = settings;
  self->events = events;
  self->context = g_main_context_new ();
  self->commands = amps_mailbox_new ("embedded commands", self->context, on_command,
                                     amps_embedded_command_free, self);
  new_owner (self);
  self->thread = g_thread_new ("embedded-broker", serve, self);
  return self;
}

/**
 * amps_embedded_worker_free:
 * @self: (transfer full): a worker that has told that it is closed
 */
void
amps_embedded_worker_free (AmpsEmbeddedWorker *self)
{
  g_thread_join (self->thread);
  amps_mailbox_free (self->commands);
  g_queue_clear_full (&self->batch, amps_embedded_command_free);
  g_main_context_unref (self->context);
  g_free (self->owner);
  g_free (self);
}

/**
 * amps_embedded_worker_consume:
 * @self: a worker
 * @consuming: whether jobs are wanted
 * @prefetch: how many may be unsettled
 */
void
amps_embedded_worker_consume (AmpsEmbeddedWorker *self, gboolean consuming, unsigned int prefetch)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_CONSUME, 0);

  command->consuming = consuming;
  command->prefetch = prefetch;
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_worker_publish:
 * @self: a worker
 * @id: told when it is committed
 * @queue: where to
 * @body: an event
 */
void
amps_embedded_worker_publish (AmpsEmbeddedWorker *self, guint64 id, const char *queue, GBytes *body)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_PUBLISH, id);

  command->queue = g_strdup (queue);
  command->body = g_bytes_ref (body);
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_worker_settle:
 * @self: a worker
 * @id: told when it is committed; 0 when nobody waits, which is tried until it is
 * @job: which
 * @settlement: what is to become of it
 */
void
amps_embedded_worker_settle (AmpsEmbeddedWorker *self, guint64 id, gint64 job,
                             const AmpsSettlement *settlement)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_SETTLE, id);

  command->job = job;
  command->settlement = *settlement;
  command->settlement.detail = g_strdup (settlement->detail);
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_worker_stop:
 * @self: a worker
 *
 * Ends it after all commands that were sent, and gives back what it has.
 */
void
amps_embedded_worker_stop (AmpsEmbeddedWorker *self)
{
  amps_mailbox_send (self->commands,
                     &amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_STOP, 0)->mail);
}
