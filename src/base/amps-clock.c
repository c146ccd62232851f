/* SPDX-License-Identifier: MIT */
#include "amps-clock.h"

#include "amps-timestamp.h"

#include <time.h>

G_DEFINE_TYPE (AmpsClock, amps_clock, G_TYPE_OBJECT)

typedef struct {
  GSource source;
  AmpsClock *clock; /* (owned) */
  gint64 due;       /* monotonic µs; -1 when it is not set */
} Timer;

static gint64
system_monotonic_time (AmpsClock *self G_GNUC_UNUSED)
{
  return g_get_monotonic_time ();
}

static gint64
system_real_time (AmpsClock *self G_GNUC_UNUSED)
{
  return g_get_real_time ();
}

static gint64
system_boot_time (AmpsClock *self G_GNUC_UNUSED)
{
  return amps_get_boot_time ();
}

static void
amps_clock_class_init (AmpsClockClass *klass)
{
  klass->get_monotonic_time = system_monotonic_time;
  klass->get_real_time = system_real_time;
  klass->get_boot_time = system_boot_time;
}

static void
amps_clock_init (AmpsClock *self G_GNUC_UNUSED)
{
}

/**
 * amps_clock_new:
 *
 * Returns: (transfer full): a clock that shows the system's time
 */
AmpsClock *
amps_clock_new (void)
{
  return g_object_new (AMPS_TYPE_CLOCK, NULL);
}

/**
 * amps_clock_get_monotonic_time:
 * @self: a clock
 *
 * Returns: µs since some moment in the past, never going back
 */
gint64
amps_clock_get_monotonic_time (AmpsClock *self)
{
  return AMPS_CLOCK_GET_CLASS (self)->get_monotonic_time (self);
}

/**
 * amps_clock_get_real_time:
 * @self: a clock
 *
 * Returns: µs since 1970-01-01 UTC
 */
gint64
amps_clock_get_real_time (AmpsClock *self)
{
  return AMPS_CLOCK_GET_CLASS (self)->get_real_time (self);
}

/**
 * amps_clock_get_boot_time:
 * @self: a clock
 *
 * Returns: µs since some moment in the past, which go on while the machine is suspended
 */
gint64
amps_clock_get_boot_time (AmpsClock *self)
{
  return AMPS_CLOCK_GET_CLASS (self)->get_boot_time (self);
}

/**
 * amps_get_boot_time:
 *
 * The same of the system, for other threads.
 *
 * Returns: µs since the machine was started, suspended or not
 */
gint64
amps_get_boot_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_BOOTTIME, &time);
  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/**
 * amps_clock_to_real_time:
 * @self: a clock
 * @monotonic: monotonic µs
 *
 * Returns: µs since 1970-01-01 UTC of that moment, by the wall clock as it is now
 */
gint64
amps_clock_to_real_time (AmpsClock *self, gint64 monotonic)
{
  return amps_clock_get_real_time (self) + (monotonic - amps_clock_get_monotonic_time (self));
}

/**
 * amps_clock_format_time:
 * @self: a clock
 * @monotonic: monotonic µs
 *
 * Returns: (transfer full) (nullable): that moment by the wall clock, as of RFC 3339, in
 *   milliseconds; %NULL beyond the year 9999
 */
char *
amps_clock_format_time (AmpsClock *self, gint64 monotonic)
{
  return amps_timestamp_format (amps_clock_to_real_time (self, monotonic), 3);
}

static gboolean
timer_prepare (GSource *source, int *timeout)
{
  Timer *timer = (Timer *) source;

  *timeout = -1;
  if (timer->due < 0)
    return FALSE;

  gint64 remaining = timer->due - amps_clock_get_monotonic_time (timer->clock);

  if (remaining <= 0)
    return TRUE;

  /* Rounded up: waking early would only mean to go round once more. */
  *timeout = (int) MIN ((remaining + 999) / 1000, G_MAXINT);
  return FALSE;
}

static gboolean
timer_check (GSource *source)
{
  Timer *timer = (Timer *) source;

  return timer->due >= 0 && amps_clock_get_monotonic_time (timer->clock) >= timer->due;
}

static gboolean
clock_timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ((Timer *) source)->due = -1;
  return callback != NULL ? callback (user_data) : G_SOURCE_CONTINUE;
}

static void
timer_finalize (GSource *source)
{
  g_clear_object (&((Timer *) source)->clock);
}

static GSourceFuncs timer_funcs = {
  .prepare = timer_prepare,
  .check = timer_check,
  .dispatch = clock_timer_dispatch,
  .finalize = timer_finalize,
};

/**
 * amps_clock_create_timer:
 * @self: a clock
 * @name: (not nullable): a static name, for debuggers
 *
 * Creates a source that is dispatched once each time it becomes due by @self.
 * It starts unset, see [func@Amps.timer_set_due]; it stays attached until its
 * callback returns %G_SOURCE_REMOVE.
 *
 * Returns: (transfer full): a source, not yet attached
 */
GSource *
amps_clock_create_timer (AmpsClock *self, const char *name)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (self), NULL);

  GSource *source = g_source_new (&timer_funcs, sizeof (Timer));
  Timer *timer = (Timer *) source;

  g_source_set_static_name (source, name);
  timer->clock = g_object_ref (self);
  timer->due = -1;
  return source;
}

/**
 * amps_clock_attach_timer:
 * @self: a clock
 * @name: (not nullable): a static name, for debuggers
 * @callback: (scope forever): called in the main thread when it is due
 * @user_data: passed to @callback
 *
 * Returns: (transfer full): a source of [method@Amps.Clock.create_timer] in the main
 *   context, to be freed by [func@Amps.timer_free]
 */
GSource *
amps_clock_attach_timer (AmpsClock *self, const char *name, GSourceFunc callback,
                         gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (self), NULL);

  GSource *timer = amps_clock_create_timer (self, name);

  g_source_set_callback (timer, callback, user_data, NULL);
  g_source_attach (timer, NULL);
  return timer;
}

/**
 * amps_timer_free:
 * @timer: (transfer full): a source that is not to be dispatched any more
 */
void
amps_timer_free (GSource *timer)
{
  g_source_destroy (timer);
  g_source_unref (timer);
}

/**
 * amps_timer_set_due:
 * @timer: a source of [method@Amps.Clock.create_timer]
 * @due: monotonic µs, or -1 for never
 *
 * To be called in the thread that runs @timer's context.
 */
void
amps_timer_set_due (GSource *timer, gint64 due)
{
  ((Timer *) timer)->due = due;
}

/**
 * amps_timer_get_due:
 * @timer: a source of [method@Amps.Clock.create_timer]
 *
 * Returns: monotonic µs, or -1 when @timer is not set
 */
gint64
amps_timer_get_due (GSource *timer)
{
  return ((Timer *) timer)->due;
}
