/* SPDX-License-Identifier: MIT */
#include "amps-lifecycle.h"

#include "base/amps-error.h"

/* A later one goes before an earlier one. */
typedef enum {
  PHASE_STARTING, /* not ready yet for the first time */
  PHASE_RUNNING,  /* takes jobs, or would if broker and workload were there */
  PHASE_PAUSED,   /* takes no jobs until resumed */
  PHASE_DRAINING, /* takes and sends no jobs until resumed, finishes those in flight */
  PHASE_STOPPING, /* likewise, because the process is to end */
  PHASE_STOPPED,  /* leaves the broker: all is settled, or has to be left */
} Phase;

struct _AmpsLifecycle {
  GObject parent_instance;

  Phase progress; /* PHASE_STARTING or PHASE_RUNNING: what a resumed one goes back to */
  Phase drain;    /* PHASE_DRAINING or later; else PHASE_STARTING */
  gboolean paused;
  gboolean hurried;
  const char *state; /* as it was told last */
};

G_DEFINE_FINAL_TYPE (AmpsLifecycle, amps_lifecycle, G_TYPE_OBJECT)

typedef enum {
  PROP_STATE = 1,
  N_PROPS,
} AmpsLifecycleProperty;

typedef enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
} AmpsLifecycleSignal;

static GParamSpec *props[N_PROPS];
static unsigned int signals[N_SIGNALS];

static void
amps_lifecycle_get_property (GObject *object, unsigned int prop_id, GValue *value,
                             GParamSpec *pspec)
{
  switch ((AmpsLifecycleProperty) prop_id)
    {
    case PROP_STATE:
      g_value_set_string (value, amps_lifecycle_get_state (AMPS_LIFECYCLE (object)));
      break;
    case N_PROPS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amps_lifecycle_class_init (AmpsLifecycleClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amps_lifecycle_get_property;

  /**
   * AmpsLifecycle:state:
   *
   * What AMPS does, see [method@Amps.Lifecycle.get_state]. Told before
   * [signal@Amps.Lifecycle::changed], and only when it is another one.
   */
  props[PROP_STATE] =
      g_param_spec_string ("state", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * AmpsLifecycle::changed:
   * @self: a lifecycle
   *
   * AMPS was ready for the first time, was paused or resumed, or began to drain, to stop or
   * to hurry.
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_lifecycle_init (AmpsLifecycle *self)
{
  self->state = amps_lifecycle_get_state (self);
}

/**
 * amps_lifecycle_new:
 *
 * Returns: (transfer full): of one that is starting
 */
AmpsLifecycle *
amps_lifecycle_new (void)
{
  return g_object_new (AMPS_TYPE_LIFECYCLE, NULL);
}

static void
lifecycle_tell (AmpsLifecycle *self)
{
  const char *state = amps_lifecycle_get_state (self);

  if (!g_str_equal (state, self->state))
    {
      self->state = state;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
    }
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/**
 * amps_lifecycle_note_ready:
 * @self: a lifecycle
 *
 * Says that messages are consumed: AMPS has started, if it had not.
 */
void
amps_lifecycle_note_ready (AmpsLifecycle *self)
{
  if (self->progress == PHASE_RUNNING)
    return;

  self->progress = PHASE_RUNNING;
  lifecycle_tell (self);
}

/**
 * amps_lifecycle_pause:
 * @self: a lifecycle
 *
 * From now on no messages are taken. Jobs that are here go on.
 */
void
amps_lifecycle_pause (AmpsLifecycle *self)
{
  if (self->paused)
    return;

  self->paused = TRUE;
  lifecycle_tell (self);
}

static void
raise_drain (AmpsLifecycle *self, Phase drain)
{
  if (self->drain >= drain)
    return;

  self->drain = drain;
  lifecycle_tell (self);
}

/**
 * amps_lifecycle_drain:
 * @self: a lifecycle
 *
 * From now on no messages are taken, and what has not been POSTed is given back. Jobs in
 * the workload are finished.
 */
void
amps_lifecycle_drain (AmpsLifecycle *self)
{
  raise_drain (self, PHASE_DRAINING);
}

/**
 * amps_lifecycle_stop:
 * @self: a lifecycle
 *
 * Likewise, because the process is to end. Jobs that a workload had which has gone are
 * given back, too.
 */
void
amps_lifecycle_stop (AmpsLifecycle *self)
{
  raise_drain (self, PHASE_STOPPING);
}

/**
 * amps_lifecycle_hurry:
 * @self: a lifecycle
 *
 * From now on nothing may wait here any more: every job that has no outcome yet is given
 * back. Said again, it is told again, for what could not be given back before.
 */
void
amps_lifecycle_hurry (AmpsLifecycle *self)
{
  self->drain = MAX (self->drain, PHASE_DRAINING);
  self->hurried = TRUE;
  lifecycle_tell (self);
}

/**
 * amps_lifecycle_end:
 * @self: a lifecycle
 *
 * Says that AMPS has stopped: the broker is left, and nobody has anything to do any more.
 *
 * Returns: whether it had not before
 */
gboolean
amps_lifecycle_end (AmpsLifecycle *self)
{
  gboolean ends = self->drain != PHASE_STOPPED;

  self->drain = PHASE_STOPPED;
  return ends;
}

/**
 * amps_lifecycle_resume:
 * @self: a lifecycle
 * @error: return location: %AMPS_ERROR_CONFLICT
 *
 * Undoes [method@Amps.Lifecycle.pause] and [method@Amps.Lifecycle.drain].
 *
 * Returns: whether it could: not while AMPS stops, when it undoes only the pause
 */
gboolean
amps_lifecycle_resume (AmpsLifecycle *self, GError **error)
{
  gboolean stopping = amps_lifecycle_is_stopping (self);
  gboolean undone = self->paused || (!stopping && amps_lifecycle_is_draining (self));

  self->paused = FALSE;
  if (!stopping)
    {
      self->drain = PHASE_STARTING;
      self->hurried = FALSE;
    }
  if (undone)
    lifecycle_tell (self);

  if (stopping)
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_CONFLICT, "AMPS is stopping");
  return !stopping;
}

/**
 * amps_lifecycle_get_state:
 * @self: a lifecycle
 *
 * Returns: what AMPS does, a static word for logs and answers: `starting`, `running`,
 *   `paused` or `draining`, which one that stops does to the end
 */
const char *
amps_lifecycle_get_state (AmpsLifecycle *self)
{
  static const char *const names[] = {
    [PHASE_STARTING] = "starting", [PHASE_RUNNING] = "running",   [PHASE_PAUSED] = "paused",
    [PHASE_DRAINING] = "draining", [PHASE_STOPPING] = "draining", [PHASE_STOPPED] = "draining",
  };
  Phase phase = self->paused ? PHASE_PAUSED : self->progress;

  return names[MAX (phase, self->drain)];
}

/**
 * amps_lifecycle_is_paused:
 * @self: a lifecycle
 *
 * Returns: whether somebody has paused it, whatever else it does
 */
gboolean
amps_lifecycle_is_paused (AmpsLifecycle *self)
{
  return self->paused;
}

/**
 * amps_lifecycle_is_draining:
 * @self: a lifecycle
 *
 * Returns: whether no messages are taken and nothing is POSTed, so that jobs must not
 *   wait for it
 */
gboolean
amps_lifecycle_is_draining (AmpsLifecycle *self)
{
  return self->drain >= PHASE_DRAINING;
}

/**
 * amps_lifecycle_is_hurried:
 * @self: a lifecycle
 *
 * Returns: whether nothing may wait here any more
 */
gboolean
amps_lifecycle_is_hurried (AmpsLifecycle *self)
{
  return self->hurried;
}

/**
 * amps_lifecycle_is_stopping:
 * @self: a lifecycle
 *
 * Returns: whether the process is to end
 */
gboolean
amps_lifecycle_is_stopping (AmpsLifecycle *self)
{
  return self->drain >= PHASE_STOPPING;
}
