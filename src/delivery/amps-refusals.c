/* SPDX-License-Identifier: MIT */
#include "amps-refusals.h"

#include "base/amps-backoff.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"
#include "base/amps-uri.h"

/* So many different jobs in a row are no coincidence. */
#define MAX_IN_A_ROW 10

/* Between two trials. */
#define MIN_BACKOFF AMPS_SECONDS (1)
#define MAX_BACKOFF AMPS_SECONDS (30)

struct _AmpsRefusals {
  GObject parent_instance;

  AmpsClock *clock;          /* (owned) */
  AmpsWorkload *workload;    /* (owned) */
  char *address;             /* (owned) without its password */
  GHashTable *in_a_row;      /* (owned) of ids: jobs refused since the last one was accepted */
  GSource *timer;            /* (owned) due for the next trial */
  char *reason;              /* (owned) (nullable) what the latest refusal was */
  gboolean proven;           /* it has accepted a job since it was last away */
  gboolean closed;           /* jobs wait */
  gboolean trying;           /* the trial has no answer yet */
  gboolean wants_jobs;       /* for the next trial, as none waits */
  unsigned int failures;     /* trials since it closed */
  AmpsLogThrottle *throttle; /* (owned) */
};

G_DEFINE_FINAL_TYPE (AmpsRefusals, amps_refusals, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
} AmpsRefusalsSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_refusals_finalize (GObject *object)
{
  AmpsRefusals *self = AMPS_REFUSALS (object);

  amps_timer_free (self->timer);
  g_hash_table_unref (self->in_a_row);
  g_object_unref (self->workload);
  g_object_unref (self->clock);
  amps_log_throttle_free (self->throttle);
  g_free (self->address);
  g_free (self->reason);

  G_OBJECT_CLASS (amps_refusals_parent_class)->finalize (object);
}

static void
amps_refusals_class_init (AmpsRefusalsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_refusals_finalize;

  /**
   * AmpsRefusals::changed:
   * @self: refusals
   *
   * Another trial may begin, or jobs begin to wait, or go on.
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_refusals_init (AmpsRefusals *self)
{
  self->throttle = amps_log_throttle_new ();
  self->in_a_row = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
emit_changed (AmpsRefusals *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static gboolean
refusals_on_timer (gpointer user_data)
{
  emit_changed (AMPS_REFUSALS (user_data));
  return G_SOURCE_CONTINUE;
}

static void
schedule_trial (AmpsRefusals *self, gint64 delay)
{
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) + delay);
}

/* What comes back may be another one. */
static void
refusals_on_workload_available (AmpsWorkload *workload, GParamSpec *pspec G_GNUC_UNUSED,
                                AmpsRefusals *self)
{
  self->proven = FALSE;
  if (!self->closed || !amps_workload_get_available (workload))
    return;

  self->failures = 0;
  schedule_trial (self, 0);
}

/**
 * amps_refusals_new:
 * @config: the settings: the workload's address
 * @clock: what waits are measured by
 * @workload: who may refuse jobs
 *
 * Returns: (transfer full): with nothing refused yet, nor accepted
 */
AmpsRefusals *
amps_refusals_new (AmpsConfig *config, AmpsClock *clock, AmpsWorkload *workload)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);

  AmpsRefusals *self = g_object_new (AMPS_TYPE_REFUSALS, NULL);

  self->clock = g_object_ref (clock);
  self->workload = g_object_ref (workload);
  self->address = amps_uri_redact (amps_config_get_workload_address (config));
  self->timer = amps_clock_attach_timer (clock, "refused jobs", refusals_on_timer, self);
  g_signal_connect_object (workload, "notify::available",
                           G_CALLBACK (refusals_on_workload_available), self, 0);
  return self;
}

static void
open_again (AmpsRefusals *self)
{
  amps_log (INFO, WORKLOAD_ACCEPTS, "The workload accepts jobs again");
  self->closed = FALSE;
  self->wants_jobs = FALSE;
  self->failures = 0;
  amps_timer_set_due (self->timer, -1);
  amps_log_throttle_end (self->throttle);
  g_clear_pointer (&self->reason, g_free);
  emit_changed (self);
}

/**
 * amps_refusals_accept:
 * @self: refusals
 *
 * Says that the workload has accepted a job: the address is right.
 */
void
amps_refusals_accept (AmpsRefusals *self)
{
  self->proven = TRUE;
  if (g_hash_table_size (self->in_a_row) > 0)
    g_hash_table_remove_all (self->in_a_row);
  if (self->closed)
    open_again (self);
}

static void
refusals_warn (AmpsRefusals *self, unsigned int status)
{
  g_autofree char *warning = NULL;

  g_free (self->reason);
  self->reason = g_strdup_printf (
      "the workload answered %u to POST %s: check WORKLOAD_ADDRESS; jobs wait until "
      "it accepts one",
      status, self->address);
  warning = amps_log_throttle_note (self->throttle, self->reason,
                                    amps_clock_get_monotonic_time (self->clock));
  if (warning != NULL)
    amps_log (WARNING, WORKLOAD_REFUSES, "Jobs are refused: %s", warning);
}

/**
 * amps_refusals_refuse:
 * @self: refusals
 * @job: a job
 * @status: an answer to it that a server gives at a wrong address
 *
 * Says that the workload has refused @job.
 *
 * Returns: whether that is the address's fault, so that @job waits; else it is its own
 */
gboolean
amps_refusals_refuse (AmpsRefusals *self, AmpsJob *job, unsigned int status)
{
  gboolean was_closed = self->closed;

  if (self->proven)
    {
      g_hash_table_add (self->in_a_row, g_strdup (amps_job_get_id (job)));
      if (g_hash_table_size (self->in_a_row) < MAX_IN_A_ROW)
        return FALSE;
    }

  g_hash_table_remove_all (self->in_a_row);
  self->proven = FALSE;
  refusals_warn (self, status);
  self->closed = TRUE;
  if (!was_closed)
    {
      self->failures = 1;
      schedule_trial (self, amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, self->failures));
      emit_changed (self);
    }

  return TRUE;
}

/**
 * amps_refusals_is_closed:
 * @self: refusals
 *
 * Returns: whether jobs wait, but for a trial
 */
gboolean
amps_refusals_is_closed (AmpsRefusals *self)
{
  return self->closed;
}

static gboolean
is_due (AmpsRefusals *self)
{
  gint64 due = amps_timer_get_due (self->timer);

  return !self->trying && (due < 0 || due <= amps_clock_get_monotonic_time (self->clock));
}

/**
 * amps_refusals_begin_trial:
 * @self: refusals, while jobs wait
 *
 * Returns: whether one job may be sent now; its end is to be told
 */
gboolean
amps_refusals_begin_trial (AmpsRefusals *self)
{
  if (!is_due (self))
    return FALSE;

  self->trying = TRUE;
  amps_timer_set_due (self->timer, -1);
  if (self->wants_jobs)
    {
      self->wants_jobs = FALSE;
      emit_changed (self);
    }

  return TRUE;
}

/**
 * amps_refusals_end_trial:
 * @self: refusals
 * @judged: whether the workload has judged the job by itself, as with 422: then the
 *   address is not wrong, and the next job is tried at once
 *
 * Says that the trial has been answered, or could not be made.
 */
void
amps_refusals_end_trial (AmpsRefusals *self, gboolean judged)
{
  self->trying = FALSE;
  if (!self->closed)
    return;

  self->failures = judged ? 0 : self->failures + 1;
  schedule_trial (self, judged ? 0 : amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, self->failures));
}

/**
 * amps_refusals_want_jobs:
 * @self: refusals, while jobs wait
 *
 * Says that there is none left for a trial, as when all were given back.
 */
void
amps_refusals_want_jobs (AmpsRefusals *self)
{
  if (self->wants_jobs || !is_due (self))
    return;

  self->wants_jobs = TRUE;
  emit_changed (self);
}

/**
 * amps_refusals_is_paused:
 * @self: refusals
 *
 * Returns: whether no messages are to be taken: there are enough that wait
 */
gboolean
amps_refusals_is_paused (AmpsRefusals *self)
{
  return self->closed && !self->wants_jobs;
}

/**
 * amps_refusals_get_reason:
 * @self: refusals
 *
 * Returns: (nullable): why jobs wait, for people
 */
const char *
amps_refusals_get_reason (AmpsRefusals *self)
{
  return self->reason;
}
