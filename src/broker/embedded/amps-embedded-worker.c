/* SPDX-License-Identifier: MIT */
#include "amps-embedded-worker.h"

#include "core/amps-backoff.h"
#include "core/amps-error.h"

#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MIN_BACKOFF (G_USEC_PER_SEC / 10)
#define MAX_BACKOFF (5 * G_USEC_PER_SEC)

/* Other processes are noticed by inotify; this is for what it does not see. */
#define MAX_SLEEP (2 * G_USEC_PER_SEC)

typedef enum {
  COMMAND_CONSUME,
  COMMAND_PUBLISH,
  COMMAND_SETTLE,
  COMMAND_STOP,
} CommandKind;

typedef struct {
  AmpsMail mail;
  CommandKind kind;
  guint64 id; /* told when it is committed; 0 when nobody waits */
  gboolean consuming;
  unsigned int prefetch;
  char *queue;  /* (owned) (nullable) */
  GBytes *body; /* (owned) (nullable) */
  gint64 job;
  AmpsSettlement settlement; /* its detail is (owned) */
  gboolean was_own;          /* found out while settling */
} Command;

struct _AmpsEmbeddedWorker {
  const AmpsEmbeddedSettings *settings; /* outlives the worker */
  AmpsMailbox *events;                  /* of the main thread, outlives the worker */
  AmpsMailbox *commands;                /* (owned) */
  GThread *thread;                      /* (owned) */
  GMainContext *context;                /* (owned) of the worker */

  /* Of the worker's thread alone: */
  GMainLoop *loop;
  AmpsEmbeddedStore *store; /* (owned) (nullable) while it can't be opened */
  GSource *timer;           /* (owned) due when there is work */
  GQueue batch;             /* (owned) of Command, in order, to be committed */
  char *owner;              /* (owned) changes when the leases are lost */
  unsigned int n_held;      /* claimed and not settled */
  gint64 lease_end;         /* µs since 1970: of all that is held */
  gboolean consuming;
  gboolean stopping;
  unsigned int prefetch;
  unsigned int failures;
  int inotify;      /* -1 without it */
  gboolean problem; /* the main thread was told of one */
};

static void
command_free (gpointer data)
{
  Command *command = data;

  g_free (command->queue);
  g_clear_pointer (&command->body, g_bytes_unref);
  g_free (command->settlement.detail);
  g_free (command);
}

/**
 * amps_embedded_event_free:
 * @event: (transfer full): an event
 */
void
amps_embedded_event_free (gpointer event)
{
  AmpsEmbeddedEvent *self = event;

  g_clear_pointer (&self->job, amps_stored_job_free);
  g_clear_error (&self->error);
  g_free (self);
}

static void
tell (AmpsEmbeddedWorker *self, AmpsEmbeddedEventKind kind, guint64 id, AmpsStoredJob *job,
      GError *error)
{
  AmpsEmbeddedEvent *event = g_new0 (AmpsEmbeddedEvent, 1);

  event->kind = kind;
  event->id = id;
  event->job = job;
  event->error = error;
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
apply (AmpsEmbeddedWorker *self, Command *command, gint64 now, GError **error)
{
  if (command->kind == COMMAND_PUBLISH)
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

static unsigned int
count_settled (AmpsEmbeddedWorker *self)
{
  unsigned int n_settled = 0;

  for (GList *l = self->batch.head; l != NULL; l = l->next)
    {
      const Command *command = l->data;

      n_settled += command->kind == COMMAND_SETTLE && command->was_own;
    }

  return n_settled;
}

static GPtrArray *
claim (AmpsEmbeddedWorker *self, gint64 now, unsigned int n_settled, GError **error)
{
  unsigned int held = self->n_held - MIN (n_settled, self->n_held);

  if (!self->consuming || self->stopping || held >= self->prefetch)
    return g_ptr_array_new ();

  /* All leases end together, so that one statement renews them. */
  if (held == 0)
    self->lease_end = now + self->settings->lease;
  return amps_embedded_store_claim (self->store, self->settings->subject, self->owner, now,
                                    self->lease_end, self->prefetch - held, error);
}

static gboolean
renew (AmpsEmbeddedWorker *self, gint64 now, GError **error)
{
  unsigned int n_renewed;

  if (self->n_held == 0 || now < self->lease_end - self->settings->lease * 2 / 3)
    return TRUE;

  if (!amps_embedded_store_renew (self->store, self->owner, now + self->settings->lease, &n_renewed,
                                  error))
    return FALSE;

  self->lease_end = now + self->settings->lease;
  self->n_held = n_renewed;
  return TRUE;
}

static void
tell_committed (AmpsEmbeddedWorker *self)
{
  Command *command;

  while ((command = g_queue_pop_head (&self->batch)) != NULL)
    {
      GError *error = NULL;

      if (command->kind == COMMAND_SETTLE && !command->was_own)
        error =
            g_error_new_literal (AMPS_ERROR, AMPS_ERROR_DETACHED, "the lease on the job had ended");
      if (command->id != 0)
        tell (self, AMPS_EMBEDDED_EVENT_DONE, command->id, NULL, error);
      else
        g_clear_error (&error);
      command_free (command);
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
      Command *command = l->data;

      next = l->next;
      if (command->id == 0)
        continue;

      tell (self, AMPS_EMBEDDED_EVENT_DONE, command->id, NULL, g_error_copy (error));
      command_free (command);
      g_queue_delete_link (&self->batch, l);
    }
}

static void
tell_claimed (AmpsEmbeddedWorker *self, GPtrArray *jobs)
{
  g_autofree gpointer *stolen = NULL;
  gsize n_jobs = 0;

  if (jobs != NULL)
    stolen = g_ptr_array_steal (jobs, &n_jobs);
  for (gsize i = 0; i < n_jobs; i++)
    tell (self, AMPS_EMBEDDED_EVENT_JOB, 0, stolen[i], NULL);
}

static void
note_problem (AmpsEmbeddedWorker *self, const GError *error)
{
  gint64 delay = amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, ++self->failures);

  self->problem = TRUE;
  tell (self, AMPS_EMBEDDED_EVENT_PROBLEM, 0, NULL, g_error_copy (error));
  tell_failed (self, error);
  g_source_set_ready_time (self->timer, g_get_monotonic_time () + delay);
}

/* A process that was stopped for long does not know what became of its jobs. */
static void
check_leases (AmpsEmbeddedWorker *self, gint64 now)
{
  if (self->n_held == 0 || now < self->lease_end)
    return;

  amps_embedded_store_give_up (self->store, self->owner, NULL);
  new_owner (self);
  tell (self, AMPS_EMBEDDED_EVENT_LOST, 0, NULL, NULL);
}

static void
ignore_own_writes (AmpsEmbeddedWorker *self)
{
  char buffer[4096];

  while (self->inotify >= 0 && read (self->inotify, buffer, sizeof buffer) > 0)
    ;
}

static gboolean
transact (AmpsEmbeddedWorker *self, gint64 now, GPtrArray **jobs, GError **error)
{
  unsigned int n_settled;

  *jobs = NULL;
  if (!amps_embedded_store_begin (self->store, error))
    return FALSE;

  if (!apply_all (self, now, error))
    return FALSE;
  n_settled = count_settled (self);
  *jobs = claim (self, now, n_settled, error);
  if (*jobs == NULL || !renew (self, now, error) ||
      !amps_embedded_store_commit (self->store, error))
    return FALSE;

  self->n_held -= MIN (n_settled, self->n_held);
  self->n_held += (*jobs)->len;
  return TRUE;
}

static void
schedule_next (AmpsEmbeddedWorker *self, gint64 now)
{
  gint64 due = -1;

  if (self->consuming && self->n_held < self->prefetch)
    amps_embedded_store_get_next_due (self->store, self->settings->subject, &due, NULL);
  if (self->n_held > 0 && (due < 0 || due > self->lease_end - self->settings->lease * 2 / 3))
    due = self->lease_end - self->settings->lease * 2 / 3;

  wake_at (self, due >= 0 ? MAX (due, now) : now + MAX_SLEEP);
}

/* Looking costs less than a transaction, which locks others out. */
static gboolean
has_work (AmpsEmbeddedWorker *self, gint64 now)
{
  gint64 due = -1;

  if (self->batch.head != NULL ||
      (self->n_held > 0 && now >= self->lease_end - self->settings->lease * 2 / 3))
    return TRUE;
  if (!self->consuming || self->n_held >= self->prefetch)
    return FALSE;

  return amps_embedded_store_get_next_due (self->store, self->settings->subject, &due, NULL) &&
         due >= 0 && due <= now;
}

static void
work (AmpsEmbeddedWorker *self)
{
  gint64 now = g_get_real_time ();
  g_autoptr (GPtrArray) jobs = NULL;
  g_autoptr (GError) error = NULL;

  check_leases (self, now);
  if (has_work (self, now) && !transact (self, now, &jobs, &error))
    {
      amps_embedded_store_roll_back (self->store);
      note_problem (self, error);
      return;
    }

  ignore_own_writes (self);
  self->failures = 0;
  if (self->problem)
    tell (self, AMPS_EMBEDDED_EVENT_OPENED, 0, NULL, NULL);
  self->problem = FALSE;

  tell_committed (self);
  tell_claimed (self, jobs);
  schedule_next (self, now);
}

static void
watch_others (AmpsEmbeddedWorker *self)
{
  g_autofree char *log = g_strconcat (self->settings->path, "-wal", NULL);

  if (self->inotify >= 0)
    inotify_add_watch (self->inotify, log, IN_MODIFY);
}

static void
open_store (AmpsEmbeddedWorker *self)
{
  g_autoptr (GError) error = NULL;

  self->store = amps_embedded_store_open (self->settings->path, self->settings->durable, &error);
  if (self->store == NULL)
    {
      note_problem (self, error);
      return;
    }

  watch_others (self);
  self->problem = FALSE;
  tell (self, AMPS_EMBEDDED_EVENT_OPENED, 0, NULL, NULL);
}

static gboolean
on_timer (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;

  g_source_set_ready_time (self->timer, -1);
  if (self->store == NULL)
    open_store (self);
  if (self->store != NULL)
    work (self);

  /* What could not be committed until the end stays in the file as it was. */
  if (self->stopping)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_others (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;

  ignore_own_writes (self);
  if (self->consuming && self->n_held < self->prefetch)
    wake_now (self);
  return G_SOURCE_CONTINUE;
}

static void
on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  Command *command = (Command *) mail;

  /* While the file can't be used, its problem has a pace of its own. */
  if (!self->problem || command->kind == COMMAND_STOP)
    wake_now (self);

  switch (command->kind)
    {
    case COMMAND_CONSUME:
      self->consuming = command->consuming;
      self->prefetch = command->prefetch;
      command_free (command);
      break;
    case COMMAND_STOP:
      self->stopping = TRUE;
      command_free (command);
      break;
    case COMMAND_PUBLISH:
    case COMMAND_SETTLE:
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

static gpointer
serve (gpointer user_data)
{
  AmpsEmbeddedWorker *self = user_data;
  g_autoptr (GSource) others = NULL;

  g_main_context_push_thread_default (self->context);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "embedded broker");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);

  self->inotify = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  if (self->inotify >= 0)
    {
      others = g_unix_fd_source_new (self->inotify, G_IO_IN);
      g_source_set_callback (others, (GSourceFunc) (void (*) (void)) on_others, self, NULL);
      g_source_attach (others, self->context);
    }

  wake_now (self);
  g_main_loop_run (self->loop);

  if (self->store != NULL)
    {
      amps_embedded_store_give_up (self->store, self->owner, NULL);
      amps_embedded_store_close (self->store);
    }
  if (others != NULL)
    g_source_destroy (others);
  if (self->inotify >= 0)
    close (self->inotify);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (self->context);
  tell (self, AMPS_EMBEDDED_EVENT_CLOSED, 0, NULL, NULL);
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
  self->commands =
      amps_mailbox_new ("embedded commands", self->context, on_command, command_free, self);
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
  g_queue_clear_full (&self->batch, command_free);
  g_main_context_unref (self->context);
  g_free (self->owner);
  g_free (self);
}

static Command *
command_new (CommandKind kind, guint64 id)
{
  Command *command = g_new0 (Command, 1);

  command->kind = kind;
  command->id = id;
  return command;
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
  Command *command = command_new (COMMAND_CONSUME, 0);

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
  Command *command = command_new (COMMAND_PUBLISH, id);

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
  Command *command = command_new (COMMAND_SETTLE, id);

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
  amps_mailbox_send (self->commands, &command_new (COMMAND_STOP, 0)->mail);
}
