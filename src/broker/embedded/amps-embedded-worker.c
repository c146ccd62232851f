/* SPDX-License-Identifier: MIT */
#include "amps-embedded-worker.h"

#include "amps-embedded-batch.h"
#include "amps-embedded-file-monitor.h"
#include "base/amps-backoff.h"
#include "base/amps-clock.h"
#include "base/amps-error.h"

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
  gpointer busy_since;                  /* atomic: boot ms in the pointer's bits; NULL when idle */

  /* Of the worker's thread alone: */
  GMainLoop *loop;
  AmpsEmbeddedFileMonitor *watch; /* (owned) */
  AmpsEmbeddedStore *store;       /* (owned) (nullable) while it can't be opened */
  GSource *timer;                 /* (owned) due when there is work */
  GQueue batch;                   /* (owned) of AmpsEmbeddedCommand, in order, to be committed */
  AmpsEmbeddedLease *lease;       /* (owned) */
  AmpsEmbeddedClock *clock;       /* (owned) */
  gboolean consuming;
  gboolean stopping;
  unsigned int prefetch;
  gsize lacking; /* bytes of the next job, if there is no room for it */
  unsigned int failures;
  gboolean problem; /* the main thread was told of one */
};

static void
embedded_worker_tell (AmpsEmbeddedWorker *self, AmpsEmbeddedEventKind kind, guint64 id,
                      GError *error)
{
  AmpsEmbeddedEvent *event = amps_embedded_event_new (kind, id, error);

  amps_mailbox_send (self->events, &event->mail);
}

static void
wake_after (AmpsEmbeddedWorker *self, gint64 wait)
{
  g_source_set_ready_time (self->timer, g_get_monotonic_time () + CLAMP (wait, 0, MAX_SLEEP));
}

static void
wake_now (AmpsEmbeddedWorker *self)
{
  g_source_set_ready_time (self->timer, 0);
}

static void
set_busy_since (AmpsEmbeddedWorker *self, gint64 since)
{
  g_atomic_pointer_set (&self->busy_since, (gpointer) (gsize) (since / 1000));
}

/* One transaction for all that came since the last */

/* What a transaction leads to, if it is committed. */
typedef struct {
  GPtrArray *jobs;          /* (owned) (nullable) claimed */
  AmpsEmbeddedLease *lease; /* (owned) as it is then */
  unsigned int n_lost;      /* to others, with the epoch */
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->jobs, g_ptr_array_unref);
  g_clear_pointer (&outcome->lease, amps_embedded_lease_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static gboolean
is_lost (AmpsEmbeddedWorker *self, const Outcome *outcome)
{
  return outcome->lease->epoch != self->lease->epoch;
}

static gboolean
embedded_worker_keep (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, Outcome *outcome,
                      GError **error)
{
  unsigned int n_held = outcome->lease->n_held;

  if (!amps_embedded_lease_keep (outcome->lease, self->store, now, &outcome->jobs, error))
    return FALSE;

  if (is_lost (self, outcome))
    outcome->n_lost = n_held - MIN (n_held, outcome->lease->n_held);
  return TRUE;
}

static gboolean
may_claim (AmpsEmbeddedWorker *self, const AmpsEmbeddedLease *lease)
{
  return self->consuming && lease->n_held < self->prefetch &&
         (self->lacking == 0 || amps_byte_budget_fits (self->settings->budget, self->lacking));
}

static gboolean
claim (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, Outcome *outcome, GError **error)
{
  AmpsEmbeddedLease *lease = outcome->lease;

  /* What was lost has to be told before anything new comes. */
  if (is_lost (self, outcome) || self->stopping || !may_claim (self, lease))
    return TRUE;

  outcome->jobs = amps_embedded_store_claim (
      self->store, self->settings->subject, lease->owner, now.real,
      amps_embedded_lease_get_end_in_file (lease, now), self->prefetch - lease->n_held, error);
  if (outcome->jobs == NULL)
    return FALSE;

  lease->n_held += outcome->jobs->len;
  self->lacking = amps_embedded_store_get_lacking (self->store);
  return TRUE;
}

static void
tell_renewed (AmpsEmbeddedWorker *self)
{
  AmpsEmbeddedEvent *event = amps_embedded_event_new (AMPS_EMBEDDED_EVENT_RENEWED, 0, NULL);

  event->lease_end = self->lease->end;
  amps_mailbox_send (self->events, &event->mail);
}

static void
tell_claimed (AmpsEmbeddedWorker *self, const GPtrArray *jobs)
{
  for (unsigned int i = 0; jobs != NULL && i < jobs->len; i++)
    {
      AmpsEmbeddedEvent *event = amps_embedded_event_new_job (
          g_ptr_array_index (jobs, i), self->lease->end, self->settings->max_body_size,
          self->settings->event_validation);

      amps_mailbox_send (self->events, &event->mail);
    }
}

static gboolean
embedded_worker_transact (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, Outcome *outcome,
                          GError **error)
{
  if (!amps_embedded_store_begin (self->store, error) ||
      !amps_embedded_clock_adjust (self->clock, self->store, error) ||
      !amps_embedded_batch_apply (&self->batch, self->store, self->lease,
                                  self->settings->dead_letters, now.real, error))
    return FALSE;

  outcome->lease = amps_embedded_lease_copy (self->lease);
  amps_embedded_batch_count (&self->batch, outcome->lease);
  return embedded_worker_keep (self, now, outcome, error) && claim (self, now, outcome, error) &&
         amps_embedded_store_commit (self->store, error);
}

static void
embedded_worker_note_success (AmpsEmbeddedWorker *self)
{
  self->failures = 0;
  if (self->problem)
    embedded_worker_tell (self, AMPS_EMBEDDED_EVENT_OPENED, 0, NULL);
  self->problem = FALSE;
}

static void
tell_outcome (AmpsEmbeddedWorker *self, Outcome *outcome)
{
  gboolean lost = is_lost (self, outcome);
  gboolean renewed = self->lease->n_held > 0 && self->lease->end != outcome->lease->end;

  amps_embedded_clock_committed (self->clock);
  amps_embedded_lease_free (self->lease);
  self->lease = g_steal_pointer (&outcome->lease);
  /* Before it is told that a problem is over: until then they don't end by the clock. */
  if (renewed && !lost)
    tell_renewed (self);

  embedded_worker_note_success (self);
  if (amps_embedded_batch_is_news (&self->batch))
    amps_embedded_file_monitor_announce (self->watch);
  amps_embedded_batch_answer (&self->batch, self->events);
  if (lost)
    embedded_worker_tell (self, AMPS_EMBEDDED_EVENT_LOST, outcome->n_lost, NULL);
  tell_claimed (self, outcome->jobs);
  if (outcome->jobs != NULL && self->lacking > 0)
    embedded_worker_tell (self, AMPS_EMBEDDED_EVENT_FULL, self->lacking, NULL);
}

/* Looking costs less than a transaction, which locks others out. @wait: µs until there
 * is something to do; 0 or less for now */
static gboolean
embedded_worker_find_next (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, gint64 *wait,
                           GError **error)
{
  gint64 due = -1;

  if (!amps_embedded_store_is_in_place (self->store, error) ||
      (may_claim (self, self->lease) &&
       !amps_embedded_store_get_next_due (self->store, self->settings->subject, &due, error)))
    return FALSE;

  *wait = due >= 0 ? due - now.real : MAX_SLEEP;
  *wait = MIN (*wait, amps_embedded_lease_get_wait (self->lease, now));
  return TRUE;
}

static gboolean
work (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, GError **error)
{
  g_auto (Outcome) outcome = { NULL, NULL, 0 };
  gint64 wait;

  /* Cleared before the look: what is announced after it wakes again. */
  amps_embedded_file_monitor_clear (self->watch);
  if (!embedded_worker_find_next (self, now, &wait, error))
    return FALSE;

  if (self->batch.head != NULL || wait <= 0 || amps_embedded_clock_was_set (self->clock))
    {
      if (!embedded_worker_transact (self, now, &outcome, error))
        return FALSE;

      tell_outcome (self, &outcome);
      amps_embedded_file_monitor_clear (self->watch);
      if (!embedded_worker_find_next (self, now, &wait, error))
        return FALSE;
    }

  embedded_worker_note_success (self);
  wake_after (self, wait);
  return TRUE;
}

static gboolean
embedded_worker_open_store (AmpsEmbeddedWorker *self, AmpsEmbeddedTime now, GError **error)
{
  self->store = amps_embedded_store_open (self->settings->path, self->settings->durable, error);
  if (self->store == NULL)
    return FALSE;

  if (self->settings->budget != NULL)
    amps_embedded_store_set_budget (self->store, self->settings->budget);
  amps_embedded_file_monitor_follow (self->watch, amps_embedded_store_get_log (self->store));
  /* It may be another file than before. */
  amps_embedded_lease_doubt (self->lease);
  return amps_embedded_clock_enter (self->clock, self->store, now.real, error);
}

/* What could not be committed stays in the batch, and in the file as it was. */
static void
embedded_worker_note_problem (AmpsEmbeddedWorker *self, const GError *error)
{
  gint64 delay = amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, ++self->failures);

  if (self->store != NULL)
    {
      amps_embedded_store_roll_back (self->store);
      if (amps_embedded_store_is_broken (self->store))
        g_clear_pointer (&self->store, amps_embedded_store_close);
    }

  self->problem = TRUE;
  embedded_worker_tell (self, AMPS_EMBEDDED_EVENT_PROBLEM, 0, g_error_copy (error));
  amps_embedded_batch_fail (&self->batch, self->events, error);
  g_source_set_ready_time (self->timer, g_get_monotonic_time () + delay);
}

static gboolean
embedded_worker_on_timer (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  AmpsEmbeddedTime now = { g_get_real_time (), amps_get_boot_time () };
  g_autoptr (GError) error = NULL;

  set_busy_since (self, now.boot);
  g_source_set_ready_time (self->timer, -1);
  amps_embedded_clock_observe (self->clock, now);
  if ((self->store == NULL && !embedded_worker_open_store (self, now, &error)) ||
      !work (self, now, &error))
    embedded_worker_note_problem (self, error);
  set_busy_since (self, 0);

  if (self->stopping)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* At once, since it need not be committed with anything. Without an answer it is not
 * known how many there are. */
static void
embedded_worker_count_jobs (AmpsEmbeddedWorker *self, guint64 id)
{
  AmpsEmbeddedEvent *event = amps_embedded_event_new (AMPS_EMBEDDED_EVENT_COUNTED, id, NULL);

  if (self->store != NULL)
    event->depths =
        amps_embedded_store_count (self->store, self->settings->subject,
                                   self->settings->dead_letters, g_get_real_time (), NULL);
  amps_mailbox_send (self->events, &event->mail);
}

static gboolean
on_announced (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;

  amps_embedded_file_monitor_clear (self->watch);
  if (!self->problem && may_claim (self, self->lease))
    wake_now (self);
  return G_SOURCE_CONTINUE;
}

static void
embedded_worker_on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  AmpsEmbeddedCommand *command = (AmpsEmbeddedCommand *) mail;

  if (command->kind == AMPS_EMBEDDED_COMMAND_COUNT)
    {
      embedded_worker_count_jobs (self, command->id);
      amps_embedded_command_free (command);
      return;
    }

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
    case AMPS_EMBEDDED_COMMAND_END:
      amps_embedded_lease_end (self->lease, command->epoch);
      amps_embedded_command_free (command);
      break;
    case AMPS_EMBEDDED_COMMAND_STOP:
      self->stopping = TRUE;
      amps_embedded_command_free (command);
      break;
    case AMPS_EMBEDDED_COMMAND_PUBLISH:
    case AMPS_EMBEDDED_COMMAND_SETTLE:
    case AMPS_EMBEDDED_COMMAND_COUNT:
    default:
      g_queue_push_tail (&self->batch, command);
    }
}

static gboolean
embedded_worker_timer_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback,
                                gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = embedded_worker_timer_dispatch };

static GSource *
watch_others (AmpsEmbeddedWorker *self)
{
  GSource *source;

  if (amps_embedded_file_monitor_get_fd (self->watch) < 0)
    return NULL;

  source = g_unix_fd_source_new (amps_embedded_file_monitor_get_fd (self->watch), G_IO_IN);
  g_source_set_callback (source, (GSourceFunc) (void (*) (void)) on_announced, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
close_store (AmpsEmbeddedWorker *self)
{
  if (self->store == NULL)
    return;

  if (amps_embedded_store_give_up (self->store, self->lease->owner, NULL))
    amps_embedded_file_monitor_announce (self->watch);
  g_clear_pointer (&self->store, amps_embedded_store_close);
}

static gpointer
embedded_worker_serve (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  GSource *others;

  g_main_context_push_thread_default (self->context);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "embedded broker");
  g_source_set_callback (self->timer, embedded_worker_on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  self->watch = amps_embedded_file_monitor_new ();
  others = watch_others (self);
  self->problem = TRUE;

  wake_now (self);
  g_main_loop_run (self->loop);

  close_store (self);
  if (others != NULL)
    g_source_destroy (others);
  g_clear_pointer (&others, g_source_unref);
  amps_embedded_file_monitor_free (self->watch);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (self->context);
  embedded_worker_tell (self, AMPS_EMBEDDED_EVENT_CLOSED, 0, NULL);
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
  self->commands = amps_mailbox_new ("embedded commands", self->context, embedded_worker_on_command,
                                     amps_embedded_command_free, self);
  self->lease = amps_embedded_lease_new (settings->lease);
  self->clock = amps_embedded_clock_new_for_system ();
  self->thread = g_thread_new ("embedded-broker", embedded_worker_serve, self);
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
  amps_embedded_lease_free (self->lease);
  amps_embedded_clock_free (self->clock);
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
 * @delivery: of which job
 * @settlement: what is to become of it
 */
void
amps_embedded_worker_settle (AmpsEmbeddedWorker *self, guint64 id, const AmpsDelivery *delivery,
                             const AmpsSettlement *settlement)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_SETTLE, id);

  command->epoch = delivery->epoch;
  command->job = (gint64) delivery->tag;
  command->settlement = *settlement;
  command->settlement.detail = g_strdup (settlement->detail);
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_worker_end_epoch:
 * @self: a worker
 * @epoch: whose leases have run out by the clock
 *
 * Tells it to hand out anew, in another epoch, what other processes have not taken.
 */
void
amps_embedded_worker_end_epoch (AmpsEmbeddedWorker *self, unsigned int epoch)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_END, 0);

  command->epoch = epoch;
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_worker_ask:
 * @self: a worker
 * @kind: %AMPS_EMBEDDED_COMMAND_STOP, which ends it after all commands that were sent and
 *   gives back what it has, or %AMPS_EMBEDDED_COMMAND_COUNT
 * @id: told with the answer; 0 when there is none
 */
void
amps_embedded_worker_ask (AmpsEmbeddedWorker *self, AmpsEmbeddedCommandKind kind, guint64 id)
{
  amps_mailbox_send (self->commands, &amps_embedded_command_new (kind, id)->mail);
}

/**
 * amps_embedded_worker_is_stuck:
 * @self: a worker
 *
 * Returns: whether it has been in one transaction for longer than a lease lasts, and so
 *   has none on any job
 */
gboolean
amps_embedded_worker_is_stuck (AmpsEmbeddedWorker *self)
{
  gint64 since = (gint64) (gsize) g_atomic_pointer_get (&self->busy_since) * 1000;

  return since != 0 && amps_get_boot_time () - since > self->settings->lease;
}
