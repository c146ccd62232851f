/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-bus-answer.h"

/* What D-Bus answers looks as what HTTP answers. */

static void
assert_json (JsonNode *node, const char *expected)
{
  g_autoptr (JsonNode) owned = node;
  g_autofree char *text = json_to_string (owned, FALSE);

  g_assert_cmpstr (text, ==, expected);
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
test_properties (void)
{
  g_autoptr (GVariant) answer =
      parse ("({'Version': <'1'>, 'WorkerId': <'w'>, 'Subject': <'q'>, 'State': <'paused'>, "
             "'Obstacles': <['one', 'two']>, 'BrokerState': <'consuming'>, 'WorkloadState': "
             "<'available'>, "
             "'MaxConcurrency': <uint32 7>, 'JobsInFlight': <uint32 3>, "
             "'Counters': <{'received': uint64 9}>},)");

  assert_json (amps_ctl_bus_answer_details (answer),
               "{\"version\":\"1\",\"state\":\"paused\",\"ready\":false,"
               "\"broker\":{\"state\":\"consuming\"},\"workload\":\"available\","
               "\"jobs\":{\"count\":3,\"max_concurrency\":7},\"counters\":{\"received\":9},"
               "\"config\":{\"worker_id\":\"w\",\"broker_subject\":\"q\"}}");
  assert_json (amps_ctl_bus_answer_ready (answer),
               "{\"status\":\"not ready\",\"details\":\"one; two\"}");
}

/* Another version may know less, or other types. */
static void
test_other_properties (void)
{
  g_autoptr (GVariant) answer = parse ("({'State': <5>, 'Obstacles': <@as []>},)");

  assert_json (amps_ctl_bus_answer_ready (answer), "{\"status\":\"ready\"}");
  assert_json (amps_ctl_bus_answer_details (answer),
               "{\"ready\":true,\"broker\":{},\"jobs\":{},\"counters\":{},\"config\":{}}");
}

static void
test_jobs (void)
{
  g_autoptr (GVariant) answer =
      parse ("([{'Id': <'a'>, 'Source': <'/s'>, 'Type': <'t'>, 'State': <'running'>, "
             "'Attempt': <uint32 2>, 'Since': <uint64 1500000>, 'Deadline': <uint64 0>, "
             "'Detail': <'d'>}],)");
  g_autoptr (GVariant) none = parse ("(@aa{sv} [],)");

  assert_json (amps_ctl_bus_answer_jobs (answer),
               "{\"count\":1,\"jobs\":[{\"id\":\"a\",\"source\":\"/s\",\"type\":\"t\","
               "\"state\":\"running\",\"attempt\":2,\"since\":\"1970-01-01T00:00:01.500000Z\","
               "\"deadline\":null,\"detail\":\"d\"}]}");
  assert_json (amps_ctl_bus_answer_jobs (none), "{\"count\":0,\"jobs\":[]}");
}

static void
test_deadline (void)
{
  g_autoptr (GVariant) answer = parse ("(uint64 60000000,)");
  g_autoptr (GVariant) nothing = parse ("()");

  assert_json (amps_ctl_bus_answer_deadline (answer),
               "{\"deadline\":\"1970-01-01T00:01:00.000000Z\"}");
  assert_json (amps_ctl_bus_answer_nothing (nothing), "null");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-bus-answer/properties", test_properties);
  g_test_add_func ("/ctl-bus-answer/other-properties", test_other_properties);
  g_test_add_func ("/ctl-bus-answer/jobs", test_jobs);
  g_test_add_func ("/ctl-bus-answer/deadline", test_deadline);
  return g_test_run ();
}
