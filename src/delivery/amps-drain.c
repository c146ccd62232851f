/* SPDX-License-Identifier: MIT */
#include "amps-drain.h"

#include "base/amps-error.h"

struct _AmpsDrain {
  GObject parent_instance;

  gboolean on;
  gboolean hurried;
  gboolean for_good;
};

G_DEFINE_FINAL_TYPE (AmpsDrain, amps_drain, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
} AmpsDrainSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_drain_class_init (AmpsDrainClass *klass)
{
  /**
   * AmpsDrain::changed:
   * @self: a drain
   *
   * It began, ended, is for good or in a hurry now.
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_drain_init (AmpsDrain *self G_GNUC_UNUSED)
{
}

/**
 * amps_drain_new:
 *
 * Returns: (transfer full): a drain that is off
 */
AmpsDrain *
amps_drain_new (void)
{
  return g_object_new (AMPS_TYPE_DRAIN, NULL);
}

static void
change (AmpsDrain *self, gboolean on, gboolean hurried, gboolean for_good)
{
  if (self->on == on && self->hurried == hurried && self->for_good == for_good)
    return;

  self->on = on;
  self->hurried = hurried;
  self->for_good = for_good;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/**
 * amps_drain_begin:
 * @self: a drain
 *
 * From now on no messages are taken, and jobs in flight are finished.
 */
void
amps_drain_begin (AmpsDrain *self)
{
  change (self, TRUE, self->hurried, self->for_good);
}

/**
 * amps_drain_begin_for_good:
 * @self: a drain
 *
 * Likewise, because the process is to end.
 */
void
amps_drain_begin_for_good (AmpsDrain *self)
{
  change (self, TRUE, self->hurried, TRUE);
}

/**
 * amps_drain_hurry:
 * @self: a drain
 *
 * From now on nothing may wait here any more. Said again, it is told again, for what
 * could not be given back before.
 */
void
amps_drain_hurry (AmpsDrain *self)
{
  self->on = TRUE;
  self->hurried = TRUE;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/**
 * amps_drain_end:
 * @self: a drain
 * @error: return location: %AMPS_ERROR_CONFLICT
 *
 * Returns: whether it is off now: not when the process is to end
 */
gboolean
amps_drain_end (AmpsDrain *self, GError **error)
{
  if (self->for_good)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_CONFLICT, "AMPS is stopping");
      return FALSE;
    }

  change (self, FALSE, FALSE, FALSE);
  return TRUE;
}

/**
 * amps_drain_is_on:
 * @self: a drain
 *
 * Returns: whether no messages are taken and nothing is POSTed, so that jobs must not
 *   wait for it
 */
gboolean
amps_drain_is_on (AmpsDrain *self)
{
  return self->on;
}

/**
 * amps_drain_is_hurried:
 * @self: a drain
 *
 * Returns: whether nothing may wait here any more
 */
gboolean
amps_drain_is_hurried (AmpsDrain *self)
{
  return self->hurried;
}

/**
 * amps_drain_is_for_good:
 * @self: a drain
 *
 * Returns: whether the process is to end
 */
gboolean
amps_drain_is_for_good (AmpsDrain *self)
{
  return self->for_good;
}
