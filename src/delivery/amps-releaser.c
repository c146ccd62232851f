/* SPDX-License-Identifier: MIT */
#include "amps-releaser.h"

#include "base/amps-log.h"

/* How long jobs are kept for a workload that is away; then other replicas may
 * have them. */
#define MAX_WAIT_FOR_WORKLOAD AMPS_SECONDS (30)

/* While draining: how soon it is noticed that the workload has gone. */
#define WATCH_INTERVAL AMPS_SECONDS (1)

struct _AmpsReleaser {
  GObject parent_instance;

  AmpsClock *clock;         /* (owned) */
  AmpsWorkload *workload;   /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  AmpsSender *sender;       /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsDecider *decider;     /* (owned) */
  GSource *timer;           /* (owned) due when the workload has been away for long, and again */
};

G_DEFINE_FINAL_TYPE (AmpsReleaser, amps_releaser, G_TYPE_OBJECT)

static void
amps_releaser_finalize (GObject *object)
{
  AmpsReleaser *self = AMPS_RELEASER (object);

  amps_timer_free (self->timer);
  g_object_unref (self->decider);
  g_object_unref (self->lifecycle);
  g_object_unref (self->sender);
  g_object_unref (self->manifest);
  g_object_unref (self->workload);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_releaser_parent_class)->finalize (object);
}

static void
amps_releaser_class_init (AmpsReleaserClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_releaser_finalize;
}

static void
amps_releaser_init (AmpsReleaser *self G_GNUC_UNUSED)
{
}

static void
release_waiting (AmpsReleaser *self)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);

  amps_sender_clear (self->sender);
  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      amps_decider_release_followers (self->decider, job);
      if (amps_job_get_state (job) == AMPS_JOB_WAITING)
        amps_decider_release (self->decider, job);
    }
}

static void
wait_for_workload (AmpsReleaser *self)
{
  amps_timer_set_due (self->timer,
                      amps_clock_get_monotonic_time (self->clock) + MAX_WAIT_FOR_WORKLOAD);
}

static gboolean
releaser_on_timer (gpointer user_data)
{
  AmpsReleaser *self = AMPS_RELEASER (user_data);

  if (amps_manifest_get_n_jobs (self->manifest) > 0)
    amps_log (
        INFO, JOBS_GIVEN_BACK,
        "The workload has been unreachable for long: giving back the jobs that it does not have");
  release_waiting (self);
  /* More may turn out not to have reached it. */
  wait_for_workload (self);
  return G_SOURCE_CONTINUE;
}

static void
releaser_on_workload_available (AmpsWorkload *workload, GParamSpec *pspec G_GNUC_UNUSED,
                                AmpsReleaser *self)
{
  if (amps_workload_get_available (workload))
    amps_timer_set_due (self->timer, -1);
  else
    wait_for_workload (self);
}

/* A job whose answer is still awaited is not lost: a server that closes its port first
 * goes on with it, and of one that died the connection ends.
 *
 * Returns: whether there are such */
static gboolean
release_lost (AmpsReleaser *self)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);
  gboolean awaited = FALSE;

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      if (amps_job_get_state (job) == AMPS_JOB_POSTING)
        awaited = TRUE;
      else
        amps_decider_release (self->decider, job);
    }

  return awaited;
}

/* If this process is to end, too, nobody is there any more to finish the jobs. Else the
 * workload may have closed its port and still be at work, as one is that was told to
 * stop while AMPS was asked to drain. */
static void
release_if_gone (AmpsReleaser *self)
{
  if (amps_lifecycle_is_stopping (self->lifecycle) &&
      amps_probe_get_gone (amps_workload_get_probe (self->workload)) && !release_lost (self))
    amps_lifecycle_hurry (self->lifecycle);
}

static void
release_all (AmpsReleaser *self)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);

  amps_sender_clear (self->sender);
  for (unsigned int i = 0; i < jobs->len; i++)
    amps_decider_release (self->decider, g_ptr_array_index (jobs, i));
}

/* As long as nothing is sent, only a watch tells whether the workload is there. */
static void
releaser_on_lifecycle_changed (AmpsReleaser *self)
{
  amps_probe_set_interval (amps_workload_get_probe (self->workload),
                           amps_lifecycle_is_draining (self->lifecycle) ? WATCH_INTERVAL : 0);
  if (amps_lifecycle_is_hurried (self->lifecycle))
    {
      release_all (self);
    }
  else if (amps_lifecycle_is_draining (self->lifecycle))
    {
      release_waiting (self);
      release_if_gone (self);
    }
  /* It may have gone just before. */
  if (amps_lifecycle_is_stopping (self->lifecycle))
    amps_probe_look (amps_workload_get_probe (self->workload));
}

/**
 * amps_releaser_new:
 * @clock: what waits are measured by
 * @workload: who may be away
 * @manifest: where the jobs are
 * @sender: who does not send them any more
 * @decider: who decides them
 * @lifecycle: when they are to be given back
 *
 * Returns: (transfer full): a releaser
 */
AmpsReleaser *
amps_releaser_new (AmpsClock *clock, AmpsWorkload *workload, AmpsManifest *manifest,
                   AmpsSender *sender, AmpsDecider *decider, AmpsLifecycle *lifecycle)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_SENDER (sender), NULL);
  g_return_val_if_fail (AMPS_IS_DECIDER (decider), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);

  AmpsReleaser *self = g_object_new (AMPS_TYPE_RELEASER, NULL);

  self->clock = g_object_ref (clock);
  self->workload = g_object_ref (workload);
  self->manifest = g_object_ref (manifest);
  self->sender = g_object_ref (sender);
  self->lifecycle = g_object_ref (lifecycle);
  self->decider = g_object_ref (decider);
  self->timer = amps_clock_attach_timer (clock, "give back", releaser_on_timer, self);

  g_signal_connect_object (workload, "notify::available",
                           G_CALLBACK (releaser_on_workload_available), self, 0);
  g_signal_connect_object (amps_workload_get_probe (workload), "notify::gone",
                           G_CALLBACK (release_if_gone), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lifecycle, "changed", G_CALLBACK (releaser_on_lifecycle_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}
