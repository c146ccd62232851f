/* SPDX-License-Identifier: MIT */
#include "fake-broker.h"
#include "log-recorder.h"

typedef struct {
  AmpsBroker *broker;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->broker = AMPS_BROKER (fake_broker_new ());
  amps_broker_set_consuming (f->broker, TRUE);
  g_free (log_recorder_take ());
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_finalize_object (f->broker);
}

static void
assert_warned (const char *expected)
{
  g_autofree char *warnings = log_recorder_take ();

  g_assert_cmpstr (warnings, ==, expected);
}

/* However often it is tried, and whatever the details are in between. */
static void
test_outage (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 10; i++)
    {
      amps_broker_change_state (f->broker, AMPS_BROKER_DISCONNECTED, "first is down");
      amps_broker_change_state (f->broker, AMPS_BROKER_DISCONNECTED, "second is down");
    }
  g_assert_cmpstr (amps_broker_get_state_detail (f->broker), ==, "second is down");
  assert_warned ("Broker disconnected: first is down\nBroker disconnected: second is down\n");

  amps_broker_change_state (f->broker, AMPS_BROKER_CONNECTED, NULL);
  amps_broker_change_state (f->broker, AMPS_BROKER_CONSUMING, NULL);
  amps_broker_change_state (f->broker, AMPS_BROKER_DISCONNECTED, "first is down");
  assert_warned ("Broker disconnected: first is down\n");
}

/* As when the user may log in, but not consume. */
static void
test_connection_that_does_not_last (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 10; i++)
    {
      amps_broker_change_state (f->broker, AMPS_BROKER_CONNECTED, NULL);
      amps_broker_change_state (f->broker, AMPS_BROKER_DISCONNECTED, "no permission");
    }
  assert_warned ("Broker disconnected: no permission\n");
}

/* While nothing is wanted of it, to be connected is all there is. */
static void
test_outage_in_a_pause (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_broker_set_consuming (f->broker, FALSE);
  for (int i = 0; i < 2; i++)
    {
      amps_broker_change_state (f->broker, AMPS_BROKER_DISCONNECTED, "down");
      assert_warned ("Broker disconnected: down\n");
      amps_broker_change_state (f->broker, AMPS_BROKER_CONNECTED, NULL);
    }
}

static void
test_problems_of_a_connection (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_broker_change_state (f->broker, AMPS_BROKER_WAITING_FOR_QUEUE, "no queue");
  amps_broker_change_state (f->broker, AMPS_BROKER_CONSUMING, NULL);
  amps_broker_change_state (f->broker, AMPS_BROKER_CONNECTED, "can't publish");
  amps_broker_change_state (f->broker, AMPS_BROKER_CONNECTED, "can't publish");
  assert_warned ("Broker waiting-for-queue: no queue\nBroker problem: can't publish\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, test) g_test_add ("/broker/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("outage", test_outage);
  ADD ("connection-that-does-not-last", test_connection_that_does_not_last);
  ADD ("outage-in-a-pause", test_outage_in_a_pause);
  ADD ("problems-of-a-connection", test_problems_of_a_connection);
  return g_test_run ();
}
