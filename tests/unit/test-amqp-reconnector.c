/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-reconnector.h"

#include "fake-clock.h"

static const AmpsAmqpRole role = { .name = "publish" };

typedef struct {
  AmpsConfig *config;
  AmpsClock *clock;
  AmpsAmqpReconnector reconnector;
  unsigned int n_tries;
  gboolean closed;
} Fixture;

static gboolean
on_timer (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_tries++;
  return G_SOURCE_CONTINUE;
}

static void
set_up (Fixture *f, gconstpointer uris)
{
  static const char *const none[] = { NULL };
  g_autofree char *broker = g_strconcat ("BROKER_HOST=", uris, NULL);
  const char *const environment[] = { "BROKER_SUBJECT=q", broker, NULL };

  f->config = amps_config_new (environment, NULL, none, NULL);
  f->clock = fake_clock_new ();
  amps_amqp_reconnector_init (&f->reconnector, &role,
                              &(AmpsAmqpShared){ .config = f->config, .clock = f->clock }, on_timer,
                              f);
}

static void
tear_down (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  amps_amqp_reconnector_clear (&f->reconnector);
  g_assert_finalize_object (f->clock);
  g_object_unref (f->config);
}

/* A session lives for @life and ends; says after what time the next one begins. */
static gint64
lose (Fixture *f, gboolean good, gint64 life)
{
  gint64 due;

  amps_timer_set_due (f->reconnector.timer, -1);
  f->reconnector.begun = amps_clock_get_monotonic_time (f->clock);
  fake_clock_advance (f->clock, life);
  amps_amqp_reconnector_schedule (&f->reconnector, good);
  due = amps_timer_get_due (f->reconnector.timer);
  g_assert_cmpint (due, >, 0);
  return due - amps_clock_get_monotonic_time (f->clock);
}

/* However often it is lost. */
static void
test_good_ones (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  static const gint64 lives[] = { AMPS_SECONDS (3600), AMPS_SECONDS (2), AMPS_MILLISECONDS (10) };

  for (unsigned int i = 0; i < 3 * G_N_ELEMENTS (lives); i++)
    {
      gint64 delay = lose (f, TRUE, lives[i % G_N_ELEMENTS (lives)]);

      g_assert_cmpint (delay, >=, AMPS_MILLISECONDS (50));
      g_assert_cmpint (delay, <, AMPS_MILLISECONDS (400));
    }

  g_assert_cmpuint (f->n_tries, ==, 0);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (400));
  g_assert_cmpuint (f->n_tries, ==, 1);
}

static gint64
lose_often (Fixture *f, gboolean good, gint64 life, unsigned int times)
{
  gint64 longest = 0;

  for (unsigned int i = 0; i < times; i++)
    {
      gint64 delay = lose (f, good, life);

      longest = MAX (longest, delay);
    }
  return longest;
}

/* One that comes to nothing waits longer and longer; a good one ends that. */
static void
test_failures (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  g_assert_cmpint (lose (f, FALSE, 1000), <=, AMPS_MILLISECONDS (500));
  g_assert_cmpint (lose (f, FALSE, 1000), <=, AMPS_SECONDS (1));
  g_assert_cmpint (lose_often (f, FALSE, 1000, 40), >, AMPS_SECONDS (15));
  g_assert_cmpint (lose_often (f, FALSE, 1000, 40), <=, AMPS_SECONDS (30));
  g_assert_cmpint (lose (f, TRUE, AMPS_SECONDS (5)), <, AMPS_MILLISECONDS (400));
  g_assert_cmpint (lose (f, FALSE, 1000), <=, AMPS_MILLISECONDS (500));
}

/* What ends each connection as soon as it works must not keep the broker busy. */
static void
test_short_lives (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  g_assert_cmpint (lose_often (f, TRUE, 1000, 10), <, AMPS_MILLISECONDS (400));
  g_assert_cmpint (lose_often (f, TRUE, 1000, 40), >, AMPS_SECONDS (10));
  g_assert_cmpint (lose (f, TRUE, AMPS_SECONDS (2)), <, AMPS_MILLISECONDS (400));
  g_assert_cmpint (lose (f, TRUE, 1000), <, AMPS_MILLISECONDS (400));
}

/* All of them are tried before it waits longer. */
static void
test_several_uris (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  g_assert_cmpint (lose_often (f, FALSE, 1000, 3), <=, AMPS_MILLISECONDS (500));
  g_assert_cmpint (lose_often (f, FALSE, 1000, 3), <=, AMPS_SECONDS (1));
  g_assert_cmpint (lose_often (f, FALSE, 1000, 3), <=, AMPS_SECONDS (2));
}

static void
on_event (AmpsMail *mail, gpointer user_data)
{
  Fixture *f = user_data;

  f->closed = ((AmpsAmqpEvent *) mail)->kind == AMPS_AMQP_EVENT_CLOSED;
  amps_amqp_event_free (mail);
}

/* Returns: a port on which connections are made, and nothing is ever said */
static guint16
listen_in_silence (GSocketListener *listener)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_listener_add_address (listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                 &address, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* A thread that waits for the broker's first word hangs only if there is a connection
 * that works. */
static void
test_stuck (Fixture *f, gconstpointer uris G_GNUC_UNUSED)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *uri = g_strdup_printf ("amqp://127.0.0.1:%u", listen_in_silence (listener));
  AmpsAmqpSettings *settings = amps_amqp_settings_new (f->config);

  g_assert_false (amps_amqp_reconnector_is_stuck (&f->reconnector));
  g_autoptr (AmpsMailbox) events =
      amps_mailbox_new ("events", NULL, on_event, amps_amqp_event_free, f);
  f->reconnector.io_thread = amps_amqp_io_thread_new (&role, uri, settings, events);
  f->reconnector.max_busy_time = AMPS_MILLISECONDS (1);
  while (amps_amqp_io_thread_get_busy_time (f->reconnector.io_thread) <=
         f->reconnector.max_busy_time)
    g_usleep (100);
  g_assert_false (amps_amqp_reconnector_is_stuck (&f->reconnector));
  amps_amqp_reconnector_open (&f->reconnector);
  g_assert_true (amps_amqp_reconnector_is_stuck (&f->reconnector));
  f->reconnector.max_busy_time = AMPS_SECONDS (100);
  g_assert_false (amps_amqp_reconnector_is_stuck (&f->reconnector));

  while (!f->closed)
    {
      amps_amqp_reconnector_watch (&f->reconnector, TRUE);
      g_main_context_iteration (NULL, FALSE);
    }
  f->reconnector.max_busy_time = 0;
  amps_amqp_reconnector_close (&f->reconnector, NULL);
  g_assert_false (amps_amqp_reconnector_is_stuck (&f->reconnector));
  amps_amqp_settings_free (settings);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, uris, test)                                                                      \
  g_test_add ("/amqp-reconnector/" name, Fixture, uris, set_up, test, tear_down)
  ADD ("good-ones", "amqp://a", test_good_ones);
  ADD ("failures", "amqp://a", test_failures);
  ADD ("short-lives", "amqp://a", test_short_lives);
  ADD ("several-uris", "amqp://a,amqp://b,amqp://c", test_several_uris);
  ADD ("stuck", "amqp://a", test_stuck);
  return g_test_run ();
}
