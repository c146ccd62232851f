/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "dispatcher-fixture.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* What becomes of jobs, as spans. The web server is the workload, and the collector, too. */

typedef DispatcherFixture Fixture;

#define ON "OTEL_SDK_DISABLED=false\n"
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "00-" TRACE "-b7ad6b7169203331-01"
#define ORIGIN "00-" TRACE "-00f067aa0ba902b7-01"
#define NOT_SAMPLED "00-" TRACE "-b7ad6b7169203331-00"

/* Sends what has ended. Returns: (transfer full): the spans, in the order of their ends */
static JsonArray *
collect (Fixture *f)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (JsonNode) found = NULL;
  g_autoptr (GError) error = NULL;
  unsigned int n_posts;

  iterate_until_idle ();
  n_posts = f->n_posts + 1;
  f->status = 200;
  g_string_truncate (f->bodies, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  iterate_until_posted (f, n_posts);
  json_parser_load_from_data (parser, f->bodies->str, -1, &error);
  g_assert_no_error (error);
  found = json_path_query ("$.resourceSpans[0].scopeSpans[0].spans[*]",
                           json_parser_get_root (parser), &error);
  g_assert_no_error (error);
  return json_array_ref (json_node_get_array (found));
}

static JsonObject *
get_span (JsonArray *spans, unsigned int i)
{
  g_assert_cmpuint (i, <, json_array_get_length (spans));
  return json_array_get_object_element (spans, i);
}

static const char *
get_text (JsonObject *span, const char *member)
{
  return json_object_get_string_member_with_default (span, member, NULL);
}

/* @value: (nullable): %NULL if there must be no such attribute */
static void
assert_attribute (JsonObject *span, const char *key, const char *value)
{
  JsonArray *attributes = json_object_get_array_member (span, "attributes");
  const char *found = NULL;

  for (unsigned int i = 0; i < json_array_get_length (attributes); i++)
    {
      JsonObject *attribute = json_array_get_object_element (attributes, i);
      JsonObject *any = json_object_get_object_member (attribute, "value");

      if (g_str_equal (get_text (attribute, "key"), key))
        found = get_text (any, "stringValue") != NULL ? get_text (any, "stringValue")
                                                      : get_text (any, "intValue");
    }
  g_test_message ("%s", key);
  g_assert_cmpstr (found, ==, value);
}

static void
assert_span (JsonObject *span, const char *name, int kind, const char *parent, gboolean failed)
{
  g_assert_cmpstr (get_text (span, "name"), ==, name);
  g_assert_cmpint (json_object_get_int_member (span, "kind"), ==, kind);
  g_assert_cmpstr (get_text (span, "parentSpanId"), ==, parent);
  g_assert_cmpint (json_object_has_member (span, "status"), ==, failed);
}

static void
run_with (Fixture *f, const char *id, const char *traceparent)
{
  AmpsJob *job = make_job (id, id, 0);
  unsigned int n_posts = f->n_posts + 1;

  amps_job_get_delivery (job)->traceparent = g_strdup (traceparent);
  amps_job_get_delivery (job)->tracestate = g_strdup (traceparent != NULL ? "k=v" : NULL);
  deliver (f, job);
  iterate_until_posted (f, n_posts);
}

static void
test_acknowledged (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (JsonArray) spans = NULL;
  JsonObject *post, *process;

  run_with (f, "a", PARENT);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1500));
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  spans = collect (f);
  g_assert_cmpuint (json_array_get_length (spans), ==, 2);
  post = get_span (spans, 0);
  process = get_span (spans, 1);

  assert_span (process, "process jobs", 5, "b7ad6b7169203331", FALSE);
  g_assert_cmpstr (get_text (process, "traceId"), ==, TRACE);
  g_assert_cmpstr (get_text (process, "traceState"), ==, "k=v");
  assert_attribute (process, "messaging.system", "rabbitmq");
  assert_attribute (process, "messaging.operation.name", "process");
  assert_attribute (process, "messaging.operation.type", "process");
  assert_attribute (process, "messaging.destination.name", "jobs");
  assert_attribute (process, "messaging.message.id", "a");
  assert_attribute (process, "messaging.message.body.size", "1");
  assert_attribute (process, "cloudevents.event_id", "a");
  assert_attribute (process, "amps.attempt", "1");
  assert_attribute (process, "amps.outcome", "acknowledged");
  assert_attribute (process, "error.type", NULL);
  g_assert_cmpint (g_ascii_strtoll (get_text (process, "endTimeUnixNano"), NULL, 10) -
                       g_ascii_strtoll (get_text (process, "startTimeUnixNano"), NULL, 10),
                   ==, 1500000000);

  assert_span (post, "POST", 3, get_text (process, "spanId"), FALSE);
  g_assert_cmpstr (get_text (post, "traceId"), ==, TRACE);
  assert_attribute (post, "http.request.method", "POST");
  assert_attribute (post, "http.response.status_code", "202");
  assert_attribute (post, "server.address", "127.0.0.1");
}

static void
test_root (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (JsonArray) spans = NULL;

  run_with (f, "a", NULL);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  spans = collect (f);
  assert_span (get_span (spans, 1), "process jobs", 5, NULL, FALSE);
  g_assert_cmpstr (get_text (get_span (spans, 0), "traceId"), ==,
                   get_text (get_span (spans, 1), "traceId"));
}

/* The message's own context is nearer; where the event came from is linked. */
static void
test_origin (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char json[] = "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\","
                             "\"type\":\"t\",\"traceparent\":\"" ORIGIN "\"}";
  AmpsCloudEvent *event =
      amps_cloud_event_scan (json, sizeof json - 1, AMPS_EVENT_VALIDATION_LENIENT, NULL);
  g_autoptr (AmpsDelivery) delivery =
      amps_delivery_new (g_bytes_new_static (json, sizeof json - 1));
  g_autoptr (JsonArray) spans = NULL;
  JsonArray *links;

  delivery->epoch = amps_broker_get_epoch (AMPS_BROKER (f->broker));
  delivery->tag = 1;
  delivery->traceparent = g_strdup (PARENT);
  deliver (f, amps_job_new (delivery, event));
  iterate_until_posted (f, 1);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  spans = collect (f);
  assert_span (get_span (spans, 1), "process jobs", 5, "b7ad6b7169203331", FALSE);
  assert_attribute (get_span (spans, 1), "cloudevents.event_source", "/s");
  assert_attribute (get_span (spans, 1), "cloudevents.event_type", "t");
  links = json_object_get_array_member (get_span (spans, 1), "links");
  g_assert_cmpuint (json_array_get_length (links), ==, 1);
  g_assert_cmpstr (get_text (json_array_get_object_element (links, 0), "spanId"), ==,
                   "00f067aa0ba902b7");
}

static void
test_failures (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (JsonArray) spans = NULL;

  run_with (f, "rejected", PARENT);
  g_assert_true (amps_decider_reject (f->decider, "rejected", "hunter2", NULL));
  run_with (f, "rescheduled", PARENT);
  g_assert_true (amps_decider_reschedule (f->decider, "rescheduled", 0, NULL));
  f->status = 503;
  run_with (f, "retried", PARENT);
  iterate_until_idle ();
  f->status = 202;
  run_with (f, "expired", PARENT);
  fake_clock_advance (f->clock, AMPS_SECONDS (2));
  spans = collect (f);

  assert_span (get_span (spans, 1), "process jobs", 5, "b7ad6b7169203331", TRUE);
  assert_attribute (get_span (spans, 1), "amps.outcome", "rejected");
  assert_attribute (get_span (spans, 1), "error.type", "rejected");
  assert_span (get_span (spans, 3), "process jobs", 5, "b7ad6b7169203331", FALSE);
  assert_attribute (get_span (spans, 3), "amps.outcome", "rescheduled");
  assert_span (get_span (spans, 4), "POST", 3, get_text (get_span (spans, 5), "spanId"), TRUE);
  assert_attribute (get_span (spans, 4), "error.type", "503");
  assert_span (get_span (spans, 5), "process jobs", 5, "b7ad6b7169203331", TRUE);
  assert_attribute (get_span (spans, 5), "amps.outcome", "retried");
  assert_attribute (get_span (spans, 5), "error.type", "status");
  assert_attribute (get_span (spans, 7), "amps.outcome", "expired");
  assert_attribute (get_span (spans, 7), "error.type", "expired");
  g_assert_null (strstr (f->bodies->str, "hunter2"));
}

/* Each attempt is a span of its own, beside the others. */
static void
test_attempts (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (JsonArray) spans = NULL;

  f->status = 500;
  run_with (f, "a", PARENT);
  iterate_until_idle ();
  f->status = 202;
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_posted (f, 2);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  spans = collect (f);
  g_assert_cmpuint (json_array_get_length (spans), ==, 4);
  for (unsigned int i = 1; i < 4; i += 2)
    {
      assert_span (get_span (spans, i), "process jobs", 5, "b7ad6b7169203331", i == 1);
      assert_attribute (get_span (spans, i), "amps.attempt", i == 1 ? "1" : "2");
    }
  g_assert_cmpstr (get_text (get_span (spans, 1), "spanId"), !=,
                   get_text (get_span (spans, 3), "spanId"));
}

static GPtrArray *
make_event (const char *traceparent)
{
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  char *event =
      g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\","
                       "\"type\":\"next\"%s%s%s}",
                       traceparent != NULL ? ",\"traceparent\":\"" : "",
                       traceparent != NULL ? traceparent : "", traceparent != NULL ? "\"" : "");

  g_ptr_array_add (events, g_bytes_new_take (event, strlen (event)));
  return events;
}

static void
on_done (GObject *source G_GNUC_UNUSED, GAsyncResult *result G_GNUC_UNUSED, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
test_publish (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsTraceHeaders) caller = amps_trace_headers_read (PARENT, "k=v");
  g_autoptr (GPtrArray) plain = make_event (NULL);
  g_autoptr (GPtrArray) traced = make_event (ORIGIN);
  g_autoptr (JsonArray) spans = NULL;
  g_autofree char *told = NULL;
  gboolean done = FALSE;

  amps_publisher_publish_async (f->publisher, plain, caller, NULL, NULL, on_done, &done);
  iterate_until_idle ();
  g_assert_true (done);
  told = fake_broker_take_log (f->broker);
  g_assert_true (g_str_has_prefix (told, "publish 1 to next\nwith 00-" TRACE "-"));
  g_assert_null (strstr (told, "b7ad6b7169203331"));
  g_assert_true (g_str_has_suffix (told, "-01 k=v\n"));

  amps_publisher_publish_async (f->publisher, traced, NULL, NULL, NULL, on_done, &done);
  amps_publisher_publish_async (f->publisher, traced, caller, NULL, NULL, on_done, &done);
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNROUTABLE, 1);
  amps_publisher_publish_async (f->publisher, plain, NULL, NULL, NULL, on_done, &done);
  spans = collect (f);

  assert_span (get_span (spans, 0), "publish next", 4, "b7ad6b7169203331", FALSE);
  g_assert_nonnull (strstr (told, get_text (get_span (spans, 0), "spanId")));
  assert_attribute (get_span (spans, 0), "messaging.operation.name", "publish");
  assert_attribute (get_span (spans, 0), "messaging.operation.type", "send");
  assert_attribute (get_span (spans, 0), "messaging.destination.name", "next");
  assert_attribute (get_span (spans, 0), "cloudevents.event_id", "1");
  assert_span (get_span (spans, 1), "publish next", 4, "00f067aa0ba902b7", FALSE);
  g_assert_false (json_object_has_member (get_span (spans, 1), "links"));
  assert_span (get_span (spans, 2), "publish next", 4, "b7ad6b7169203331", FALSE);
  g_assert_true (json_object_has_member (get_span (spans, 2), "links"));
  assert_span (get_span (spans, 3), "publish next", 4, NULL, TRUE);
  assert_attribute (get_span (spans, 3), "error.type", "unroutable");
}

/* What is published for a job belongs to its run. */
static void
test_publish_for_job (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_event (NULL);
  g_autoptr (JsonArray) spans = NULL;
  gboolean done = FALSE;

  run_with (f, "a", PARENT);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &done);
  spans = collect (f);
  g_assert_true (done);
  assert_span (get_span (spans, 1), "publish next", 4, get_text (get_span (spans, 2), "spanId"),
               FALSE);
  assert_span (get_span (spans, 2), "process jobs", 5, "b7ad6b7169203331", FALSE);
}

/* Nothing is sent, but the context goes on. */
static void
test_not_sampled (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsTraceHeaders) caller = amps_trace_headers_read (NOT_SAMPLED, NULL);
  g_autoptr (GPtrArray) events = make_event (NULL);
  g_autofree char *told = NULL;
  gboolean done = FALSE;

  run_with (f, "a", NOT_SAMPLED);
  g_assert_cmpstr (amps_job_get_trace (amps_manifest_lookup (f->manifest, "a"))->traceparent, ==,
                   NOT_SAMPLED);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  g_free (fake_broker_take_log (f->broker));
  amps_publisher_publish_async (f->publisher, events, caller, NULL, NULL, on_done, &done);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  iterate_until_idle ();
  g_assert_true (done);
  told = fake_broker_take_log (f->broker);
  g_assert_cmpstr (told, ==, "publish 1 to next\nwith " NOT_SAMPLED " \n");
  g_assert_cmpuint (f->n_posts, ==, 1);
}

/* The sampler may say otherwise than the parent. */
static void
test_sampled_out (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run_with (f, "a", PARENT);
  g_assert_cmpstr (amps_job_get_trace (amps_manifest_lookup (f->manifest, "a"))->traceparent, ==,
                   NOT_SAMPLED);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
}

/* One POST for all of them is a trace of its own, which is linked with theirs. */
static void
test_batch (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (JsonArray) spans = NULL;
  JsonArray *links;

  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  iterate_until_posted (f, 1);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  g_assert_true (amps_decider_acknowledge (f->decider, "b", NULL));
  spans = collect (f);
  g_assert_cmpuint (json_array_get_length (spans), ==, 3);
  assert_span (get_span (spans, 0), "POST", 3, NULL, FALSE);
  assert_attribute (get_span (spans, 0), "messaging.batch.message_count", "2");
  links = json_object_get_array_member (get_span (spans, 0), "links");
  g_assert_cmpuint (json_array_get_length (links), ==, 2);
  for (unsigned int i = 0; i < 2; i++)
    g_assert_cmpstr (get_text (json_array_get_object_element (links, i), "spanId"), ==,
                     get_text (get_span (spans, 1 + i), "spanId"));
}

static void
test_off (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_assert_null (f->tracer);
  run_with (f, "a", PARENT);
  g_assert_null (amps_job_get_trace (amps_manifest_lookup (f->manifest, "a")));
}

int
main (int argc, char **argv)
{
  static const DispatcherTest tests[] = {
    { "/tracer/acknowledged", test_acknowledged, ON },
    { "/tracer/root", test_root, ON },
    { "/tracer/origin", test_origin, ON },
    { "/tracer/failures", test_failures, ON "JOB_TIMEOUT=2s" },
    { "/tracer/attempts", test_attempts, ON "RETRY_MIN_BACKOFF=1ms\nRETRY_MAX_BACKOFF=1ms" },
    { "/tracer/publish", test_publish, ON },
    { "/tracer/publish-for-job", test_publish_for_job, ON },
    { "/tracer/not-sampled", test_not_sampled, ON },
    { "/tracer/sampled-out", test_sampled_out, ON "OTEL_TRACES_SAMPLER=always_off" },
    { "/tracer/batch", test_batch, ON "WORKLOAD_BATCH_SIZE=2\nWORKLOAD_BATCH_WAIT=60s" },
    { "/tracer/off", test_off, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
