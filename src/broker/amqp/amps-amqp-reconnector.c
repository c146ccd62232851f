/* SPDX-License-Identifier: MIT */
#include "amps-amqp-reconnector.h"

#include "amps-amqp-uri.h"
#include "base/amps-backoff.h"
#include "base/amps-log.h"

#define MIN_RECONNECT_DELAY AMPS_MILLISECONDS (500)
#define MAX_RECONNECT_DELAY AMPS_SECONDS (30)

/* After a good connection: it is lost within half a second, and made again. */
#define FIRST_RECONNECT_DELAY AMPS_MILLISECONDS (200)

/* A try that took so long was not one of many. */
#define LONG_TRY AMPS_SECONDS (10)

/* A connection that does its work for less, so many times in a row, is ended by the
 * work itself: then it must not come at once. */
#define SHORT_LIFE AMPS_SECONDS (1)
#define MAX_SHORT_LIVES 10

/* A request may wait for its answer almost so long, see RPC_TIMEOUT_SECONDS. */
#define MIN_BUSY_TIME AMPS_SECONDS (16)

/**
 * amps_amqp_reconnector_init:
 * @self: (out caller-allocates): a reconnector, which has no connection yet
 * @role: what its connections are there for
 * @shared: only read during the call; what it names outlives @self
 * @on_timer: (nullable) (scope forever): called when it is time for the next try; %NULL if
 *   none is ever scheduled
 * @user_data: passed to @on_timer
 */
void
amps_amqp_reconnector_init (AmpsAmqpReconnector *self, const AmpsAmqpRole *role,
                            const AmpsAmqpShared *shared, GSourceFunc on_timer, gpointer user_data)
{
  *self = (AmpsAmqpReconnector){ .role = role, .shared = *shared };
  self->timer = amps_clock_attach_timer (shared->clock, role->name, on_timer, user_data);
}

/**
 * amps_amqp_reconnector_clear:
 * @self: a reconnector that has no connection
 */
void
amps_amqp_reconnector_clear (AmpsAmqpReconnector *self)
{
  amps_timer_free (self->timer);
  g_free (self->problem);
}

/**
 * amps_amqp_reconnector_connect:
 * @self: a reconnector that has no connection
 *
 * Begins to connect to the URI whose turn it is.
 */
void
amps_amqp_reconnector_connect (AmpsAmqpReconnector *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) parsed = NULL;
  const char *const *uris;
  const char *uri;

  /* Credentials may have been renewed while the connection was away. */
  if (!amps_config_reload_secrets (self->shared.config, &error))
    amps_log (WARNING, SECRETS_KEPT, "Kept the old secrets: %s", error->message);

  uris = amps_config_get_broker_uris (self->shared.config);
  uri = uris[self->uri_index % g_strv_length ((char **) uris)];
  parsed = amps_amqp_uri_parse (uri, NULL);
  self->begun = amps_clock_get_monotonic_time (self->shared.clock);
  self->max_busy_time =
      MAX (MIN_BUSY_TIME, 2 * AMPS_SECONDS (parsed != NULL ? parsed->heartbeat : 0));
  self->io_thread =
      amps_amqp_io_thread_new (self->role, uri, self->shared.settings, self->shared.events);
}

/**
 * amps_amqp_reconnector_open:
 * @self: a reconnector whose connection has told that it is open
 */
void
amps_amqp_reconnector_open (AmpsAmqpReconnector *self)
{
  self->open = TRUE;
  g_clear_pointer (&self->problem, g_free);
}

/**
 * amps_amqp_reconnector_close:
 * @self: a reconnector whose connection has told that it is closed
 * @why: (nullable): the reason
 *
 * Drops the connection, and lets the next one try the next URI.
 */
void
amps_amqp_reconnector_close (AmpsAmqpReconnector *self, const char *why)
{
  amps_amqp_io_thread_free (g_steal_pointer (&self->io_thread));
  self->open = FALSE;
  g_free (self->problem);
  self->problem =
      why != NULL ? g_strdup_printf ("no connection to %s: %s", self->role->name, why) : NULL;
  self->uri_index++;
  amps_timer_set_due (self->timer, -1);
}

static void
amqp_reconnector_count (AmpsAmqpReconnector *self, gboolean good, gint64 life)
{
  if (!good)
    {
      self->failures = life > LONG_TRY ? 1 : self->failures + 1;
      return;
    }

  self->n_short_lives = life < SHORT_LIFE ? self->n_short_lives + 1 : 0;
  self->failures =
      self->n_short_lives > MAX_SHORT_LIVES ? self->n_short_lives - MAX_SHORT_LIVES : 0;
}

/**
 * amps_amqp_reconnector_schedule:
 * @self: a reconnector that has no connection
 * @good: whether the last connection came to do what it is for
 *
 * Sets the timer for the next try: at once after a good connection, else the later, the
 * more rounds of all URIs have failed.
 */
void
amps_amqp_reconnector_schedule (AmpsAmqpReconnector *self, gboolean good)
{
  unsigned int n_uris = g_strv_length ((char **) amps_config_get_broker_uris (self->shared.config));
  gint64 now = amps_clock_get_monotonic_time (self->shared.clock);
  gint64 delay;

  amqp_reconnector_count (self, good, now - self->begun);
  if (self->failures == 0)
    delay = amps_backoff_draw (FIRST_RECONNECT_DELAY, FIRST_RECONNECT_DELAY, 1);
  else
    delay = amps_backoff_draw (MIN_RECONNECT_DELAY, MAX_RECONNECT_DELAY,
                               1 + (self->failures - 1) / n_uris);
  amps_timer_set_due (self->timer, now + delay);
}

/**
 * amps_amqp_reconnector_stop:
 * @self: a reconnector
 *
 * Tries no more, and ends the connection after all that was sent.
 */
void
amps_amqp_reconnector_stop (AmpsAmqpReconnector *self)
{
  amps_timer_set_due (self->timer, -1);
  if (self->io_thread != NULL)
    amps_amqp_io_thread_stop (self->io_thread);
}

static gboolean
amqp_reconnector_is_overdue (AmpsAmqpReconnector *self)
{
  return amps_amqp_io_thread_get_busy_time (self->io_thread) > self->max_busy_time;
}

/**
 * amps_amqp_reconnector_watch:
 * @self: a reconnector
 * @hangs: whether that is known, as from an I/O thread that should have ended by now
 *
 * Breaks the connection if the library hangs in it: heartbeats can't find that,
 * since it is the library that counts them.
 */
void
amps_amqp_reconnector_watch (AmpsAmqpReconnector *self, gboolean hangs)
{
  if (self->io_thread == NULL)
    return;

  if (hangs || amqp_reconnector_is_overdue (self))
    {
      amps_log (INFO, CONNECTION_BROKEN, "Breaking the connection to %s: it hangs",
                self->role->name);
      amps_amqp_io_thread_break (self->io_thread);
    }
}

/**
 * amps_amqp_reconnector_is_stuck:
 * @self: a reconnector
 *
 * While it is connecting it is not: to look up a name takes as long as the name servers
 * are away.
 *
 * Returns: whether the library hangs in a connection that works. If it still does some
 *   seconds later, even breaking the connection did not help.
 */
gboolean
amps_amqp_reconnector_is_stuck (AmpsAmqpReconnector *self)
{
  return self->io_thread != NULL && self->open && amqp_reconnector_is_overdue (self);
}
