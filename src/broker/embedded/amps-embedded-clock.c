/* SPDX-License-Identifier: MIT */
#include "amps-embedded-clock.h"

#include <sqlite3.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Less is how a clock is usually adjusted. */
#define MIN_JUMP G_USEC_PER_SEC

struct _AmpsEmbeddedClock {
  char *boot_id;     /* (owned) of the machine's latest start */
  gint64 shift;      /* of the wall clock against the other one; 0 before it was seen */
  gint64 adjustment; /* µs that it was set forward, and the file does not know yet */
};

/**
 * amps_embedded_clock_new:
 * @boot_id: another one after each start of the machine
 *
 * Returns: (transfer full): a clock that has seen no time
 */
AmpsEmbeddedClock *
amps_embedded_clock_new (const char *boot_id)
{
  AmpsEmbeddedClock *self = g_new0 (AmpsEmbeddedClock, 1);

  self->boot_id = g_strdup (boot_id);
  return self;
}

/**
 * amps_embedded_clock_new_for_system:
 *
 * Returns: (transfer full): the same, for this start of this machine
 */
AmpsEmbeddedClock *
amps_embedded_clock_new_for_system (void)
{
  g_autofree char *boot_id = NULL;

  if (!g_file_get_contents (BOOT_ID, &boot_id, NULL, NULL))
    return amps_embedded_clock_new ("unknown");
  return amps_embedded_clock_new (g_strstrip (boot_id));
}

/**
 * amps_embedded_clock_free:
 * @self: (transfer full): a clock
 */
void
amps_embedded_clock_free (AmpsEmbeddedClock *self)
{
  g_free (self->boot_id);
  g_free (self);
}

/**
 * amps_embedded_clock_observe:
 * @self: a clock
 * @now: the time
 *
 * Finds out whether the wall clock was set since the last time. To be called before
 * anything is taken for due.
 */
void
amps_embedded_clock_observe (AmpsEmbeddedClock *self, AmpsEmbeddedTime now)
{
  gint64 shift = now.real - now.boot;

  if (self->shift != 0 && ABS (shift - self->shift) >= MIN_JUMP)
    self->adjustment += shift - self->shift;
  self->shift = shift;
}

/**
 * amps_embedded_clock_was_set:
 * @self: a clock
 *
 * Returns: whether the file is to be adjusted
 */
gboolean
amps_embedded_clock_was_set (const AmpsEmbeddedClock *self)
{
  return self->adjustment != 0;
}

static gboolean
embedded_clock_execute (AmpsEmbeddedStore *store, char *sql, gint64 *n_changed, GError **error)
{
  gboolean done = amps_embedded_store_execute (store, sql, n_changed, error);

  sqlite3_free (sql);
  return done;
}

/* Sets the file's clock if it is another one than @self. @n_changed: 0 if it is the same */
static gboolean
set (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store, gint64 *n_changed, GError **error)
{
  return embedded_clock_execute (
      store,
      sqlite3_mprintf ("UPDATE clock SET boot_id = %Q, shift = %lld"
                       " WHERE boot_id <> %Q OR abs (shift - %lld) >= %lld",
                       self->boot_id, (sqlite3_int64) self->shift, self->boot_id,
                       (sqlite3_int64) self->shift, (sqlite3_int64) MIN_JUMP),
      n_changed, error);
}

/* Since the same start of the machine the wall clock was set by as much as the file's is
 * off. After another start nobody can know; but nothing waits for longer than it was to. */
static gboolean
catch_up (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store, gint64 now, GError **error)
{
  gint64 n_changed;

  return embedded_clock_execute (
             store,
             sqlite3_mprintf ("UPDATE jobs SET due = max (due + %lld - shift, 1) FROM clock"
                              " WHERE due > 0 AND boot_id = %Q AND abs (shift - %lld) >= %lld",
                              (sqlite3_int64) self->shift, self->boot_id,
                              (sqlite3_int64) self->shift, (sqlite3_int64) MIN_JUMP),
             &n_changed, error) &&
         embedded_clock_execute (
             store,
             sqlite3_mprintf ("UPDATE jobs SET due = %lld + wait FROM clock"
                              " WHERE wait > 0 AND due > %lld + wait AND boot_id <> %Q",
                              (sqlite3_int64) now, (sqlite3_int64) now, self->boot_id),
             &n_changed, error);
}

/**
 * amps_embedded_clock_enter:
 * @self: a clock that has seen the time
 * @store: a file that has just been opened
 * @now: µs since 1970
 * @error: return location
 *
 * Enters the clock in a file that was not used since the machine was started, or since
 * the wall clock was set, and brings the times in it up to date.
 *
 * Returns: whether the file knows of it
 */
gboolean
amps_embedded_clock_enter (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store, gint64 now,
                           GError **error)
{
  gint64 n_changed;

  return amps_embedded_store_begin (store, error) && catch_up (self, store, now, error) &&
         set (self, store, &n_changed, error) && amps_embedded_store_commit (store, error);
}

/**
 * amps_embedded_clock_adjust:
 * @self: a clock
 * @store: the file, in a transaction, before it is told of new times
 * @error: return location
 *
 * If the wall clock was set, moves all times in the file, the ends of delays and of
 * leases, so that they are as far away as before. The first process that sees it does
 * this for all.
 *
 * Returns: whether the times in @store are right
 */
gboolean
amps_embedded_clock_adjust (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store, GError **error)
{
  gint64 n_changed;

  if (self->adjustment == 0)
    return TRUE;

  if (!set (self, store, &n_changed, error))
    return FALSE;

  return n_changed == 0 ||
         embedded_clock_execute (
             store,
             sqlite3_mprintf ("UPDATE jobs SET due = max (due + %lld, 1) WHERE due > 0",
                              (sqlite3_int64) self->adjustment),
             &n_changed, error);
}

/**
 * amps_embedded_clock_committed:
 * @self: a clock
 *
 * Says that the file was adjusted for good.
 */
void
amps_embedded_clock_committed (AmpsEmbeddedClock *self)
{
  self->adjustment = 0;
}
