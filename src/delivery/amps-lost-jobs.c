/* SPDX-License-Identifier: MIT */
#include "amps-lost-jobs.h"

#include "base/amps-log.h"

/* How often the workload is looked at while it has jobs and no connection to it is kept
 * whose end would tell. A server takes about as long to start. */
#define LOOK_INTERVAL AMPS_MILLISECONDS (250)

/* A workload that ends each connection does not get another one for each. */
#define MIN_LOOK_INTERVAL AMPS_MILLISECONDS (50)

struct _AmpsLostJobs {
  GObject parent_instance;

  AmpsClock *clock;       /* (owned) */
  AmpsWorkload *workload; /* (owned) */
  AmpsManifest *manifest; /* (owned) */
  AmpsDecider *decider;   /* (owned) */
  GSource *timer;         /* (owned) due for the next look */
  gint64 looked;          /* monotonic µs */
};

G_DEFINE_FINAL_TYPE (AmpsLostJobs, amps_lost_jobs, G_TYPE_OBJECT)

static void
amps_lost_jobs_finalize (GObject *object)
{
  AmpsLostJobs *self = AMPS_LOST_JOBS (object);

  amps_timer_free (self->timer);
  amps_decider_set_accepted (self->decider, NULL, NULL);
  g_object_unref (self->decider);
  g_object_unref (self->manifest);
  g_object_unref (self->workload);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_lost_jobs_parent_class)->finalize (object);
}

static void
amps_lost_jobs_class_init (AmpsLostJobsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_lost_jobs_finalize;
}

static void
amps_lost_jobs_init (AmpsLostJobs *self G_GNUC_UNUSED)
{
}

static gboolean
has_jobs (AmpsLostJobs *self)
{
  return amps_manifest_get_n_running (self->manifest) > 0;
}

static void
lost_jobs_look (AmpsLostJobs *self)
{
  self->looked = amps_clock_get_monotonic_time (self->clock);
  amps_timer_set_due (self->timer, self->looked + LOOK_INTERVAL);
  amps_probe_look (amps_workload_get_probe (self->workload));
}

static gboolean
lost_jobs_on_timer (gpointer user_data)
{
  AmpsLostJobs *self = AMPS_LOST_JOBS (user_data);
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  if (!has_jobs (self))
    amps_timer_set_due (self->timer, -1);
  else if (amps_workload_is_guarded (self->workload))
    amps_timer_set_due (self->timer, now + LOOK_INTERVAL);
  else
    lost_jobs_look (self);

  return G_SOURCE_CONTINUE;
}

static void
on_accepted (gpointer user_data)
{
  AmpsLostJobs *self = user_data;

  if (amps_timer_get_due (self->timer) < 0)
    amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) + LOOK_INTERVAL);
}

static void
on_ended_connections (AmpsWorkload *workload G_GNUC_UNUSED, AmpsLostJobs *self)
{
  gint64 soonest = self->looked + MIN_LOOK_INTERVAL;

  if (!has_jobs (self))
    return;

  if (amps_clock_get_monotonic_time (self->clock) >= soonest)
    lost_jobs_look (self);
  else
    amps_timer_set_due (self->timer, soonest);
}

static void
on_restarted (AmpsProbe *probe G_GNUC_UNUSED, AmpsLostJobs *self)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);
  unsigned int n_lost = 0;

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      if (amps_job_get_state (job) != AMPS_JOB_RUNNING)
        continue;
      n_lost++;
      amps_decider_expire (self->decider, job, "workload-restarted",
                           "the workload was restarted before the job had an outcome");
    }

  if (n_lost > 0)
    amps_log (WARNING, WORKLOAD_RESTARTED,
              "The workload was restarted: %u jobs that it had accepted are lost there, and are "
              "tried again (WORKLOAD_RESTART=expire)",
              n_lost);
}

/**
 * amps_lost_jobs_new:
 * @clock: what waits are measured by
 * @workload: who may be started anew
 * @manifest: where the jobs are
 * @decider: tells when it accepts one, and decides those that are lost
 *
 * Returns: (transfer full): what watches over jobs that the workload accepts
 */
AmpsLostJobs *
amps_lost_jobs_new (AmpsClock *clock, AmpsWorkload *workload, AmpsManifest *manifest,
                    AmpsDecider *decider)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_DECIDER (decider), NULL);

  AmpsLostJobs *self = g_object_new (AMPS_TYPE_LOST_JOBS, NULL);

  self->clock = g_object_ref (clock);
  self->workload = g_object_ref (workload);
  self->manifest = g_object_ref (manifest);
  self->decider = g_object_ref (decider);
  self->timer = amps_clock_attach_timer (clock, "lost jobs", lost_jobs_on_timer, self);

  g_signal_connect_object (amps_workload_get_probe (workload), "restarted",
                           G_CALLBACK (on_restarted), self, 0);
  g_signal_connect_object (workload, "ended-connections", G_CALLBACK (on_ended_connections), self,
                           0);
  amps_decider_set_accepted (decider, on_accepted, self);
  return self;
}
