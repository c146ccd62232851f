/* SPDX-License-Identifier: MIT */
#include "amps-amqp-link.h"

#include "amps-amqp-uri.h"
#include "core/amps-backoff.h"

#define MIN_RECONNECT_DELAY AMPS_MILLISECONDS (500)
#define MAX_RECONNECT_DELAY AMPS_SECONDS (30)

/* A connection that lived so long was a good one. */
#define GOOD_CONNECTION AMPS_SECONDS (10)

/* A request may wait for its answer almost so long, see RPC_TIMEOUT_SECONDS. */
#define MIN_BUSY_TIME AMPS_SECONDS (16)

/**
 * amps_amqp_link_connect:
 * @self: a link without a session
 * @config: has the URIs
 * @settings: for the session
 * @events: gets what the session has to tell
 * @now: monotonic µs
 *
 * Begins to connect to the URI whose turn it is.
 */
void
amps_amqp_link_connect (AmpsAmqpLink *self, AmpsConfig *config, const AmpsAmqpSettings *settings,
                        AmpsMailbox *events, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) parsed = NULL;
  const char *const *uris;
  const char *uri;

  /* Credentials may have been renewed while the connection was away. */
  if (!amps_config_reload_secrets (config, &error))
    g_warning ("Kept the old secrets: %s", error->message);

  uris = amps_config_get_broker_uris (config);
  uri = uris[self->uri_index % g_strv_length ((char **) uris)];
  parsed = amps_amqp_uri_parse (uri, NULL);
  self->begun = now;
  self->max_busy_time =
      MAX (MIN_BUSY_TIME, 2 * AMPS_SECONDS (parsed != NULL ? parsed->heartbeat : 0));
  self->session = amps_amqp_session_new (self->role, uri, settings, events);
}

/**
 * amps_amqp_link_close:
 * @self: a link whose session has told that it is closed
 *
 * Drops the session, and lets the next one try the next URI.
 */
void
amps_amqp_link_close (AmpsAmqpLink *self)
{
  amps_amqp_session_free (g_steal_pointer (&self->session));
  self->open = FALSE;
  self->uri_index++;
  amps_timer_set_due (self->timer, -1);
}

/**
 * amps_amqp_link_schedule:
 * @self: a link without a session
 * @config: has the URIs
 * @now: monotonic µs
 *
 * Sets the timer for the next try: the later, the more rounds of all URIs have
 * failed.
 */
void
amps_amqp_link_schedule (AmpsAmqpLink *self, AmpsConfig *config, gint64 now)
{
  unsigned int n_uris = g_strv_length ((char **) amps_config_get_broker_uris (config));

  self->failures = now - self->begun > GOOD_CONNECTION ? 1 : self->failures + 1;
  amps_timer_set_due (self->timer,
                      now + amps_backoff_draw (MIN_RECONNECT_DELAY, MAX_RECONNECT_DELAY,
                                               1 + (self->failures - 1) / n_uris));
}

/**
 * amps_amqp_link_watch:
 * @self: a link
 * @hangs: whether that is known, as from a session that should have ended by now
 *
 * Breaks the connection if the library hangs in it: heartbeats can't find that,
 * since it is the library that counts them.
 */
void
amps_amqp_link_watch (AmpsAmqpLink *self, gboolean hangs)
{
  if (self->session == NULL)
    return;

  if (hangs || amps_amqp_session_get_busy_time (self->session) > self->max_busy_time)
    {
      g_info ("Breaking the connection to %s: it hangs", self->role->name);
      amps_amqp_session_break (self->session);
    }
}
