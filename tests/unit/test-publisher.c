/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amps-broker-factory.h"
#include "delivery/amps-publisher.h"
#include "fake-broker.h"
#include "log-recorder.h"

#include <string.h>

typedef struct {
  FakeBroker *broker;
  AmpsMetrics *metrics;
  AmpsPublisher *publisher;
  GPtrArray *events;       /* of GBytes */
  AmpsTraceHeaders *trace; /* (nullable) */
  GHashTable *confirmed;   /* of GBytes */
  GCancellable *cancellable;
  GAsyncResult *result; /* (nullable) once it has ended */
} Fixture;

/* @validation: a setting */
static void
make_publisher (Fixture *f, const char *validation)
{
  static const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", validation, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = amps_config_new_full (
      AMPS_CONFIG_SERVICE, environment, NULL, none, amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  f->publisher = amps_publisher_new (config, AMPS_BROKER (f->broker), f->metrics, NULL);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->broker = fake_broker_new ();
  f->metrics = amps_metrics_new ();
  f->events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  f->confirmed =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  f->cancellable = g_cancellable_new ();
  make_publisher (f, "EVENT_VALIDATION=lenient");
  amps_broker_start (AMPS_BROKER (f->broker));
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *log = log_recorder_take ();

  g_ptr_array_unref (f->events);
  g_hash_table_unref (f->confirmed);
  g_clear_pointer (&f->trace, amps_trace_headers_unref);
  g_clear_object (&f->result);
  g_assert_finalize_object (f->cancellable);
  g_assert_finalize_object (f->publisher);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->broker);
  g_assert_cmpstr (log, ==, "");
}

static void
add_event (Fixture *f, const char *id, const char *type)
{
  char *json = g_strdup_printf (
      "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\",\"type\":\"%s\"}", id, type);

  g_ptr_array_add (f->events, g_bytes_new_take (json, strlen (json)));
}

static void
on_ended (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_null (f->result);
  f->result = g_object_ref (result);
}

static void
iterate (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
start (Fixture *f)
{
  g_clear_object (&f->result);
  amps_publisher_publish_async (f->publisher, f->events, f->trace, f->confirmed, f->cancellable,
                                on_ended, f);
  iterate ();
}

static void
assert_told (Fixture *f, const char *expected)
{
  g_autofree char *log = fake_broker_take_log (f->broker);

  g_assert_cmpstr (log, ==, expected);
}

static void
assert_counted (Fixture *f, const char *result, unsigned int count)
{
  g_autofree char *text = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);
  g_autofree char *line =
      g_strdup_printf ("\namps_publications_total{result=\"%s\"} %u\n", result, count);

  g_assert_nonnull (strstr (text, line));
}

static void
test_type_names_the_queue (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  add_event (f, "1", "mail");
  add_event (f, "2", "invoice");
  start (f);
  assert_told (f, "publish 1 to mail\npublish 2 to invoice\n");
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (f->confirmed), ==, 2);
}

/* A 202 means that all of them are safe. */
static void
test_ends_with_the_last_confirm (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add_event (f, "1", "mail");
  add_event (f, "2", "mail");
  fake_broker_hold_publications (f->broker, TRUE);
  start (f);
  g_assert_null (f->result);
  fake_broker_hold_publications (f->broker, FALSE);
  iterate ();
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, NULL));
}

static void
test_nothing_if_one_is_invalid (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  add_event (f, "1", "mail");
  g_ptr_array_add (f->events, g_bytes_new_static ("{}", 2));
  start (f);
  assert_told (f, "");
  g_assert_false (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_true (g_str_has_prefix (error->message, "event 1: "));
  assert_counted (f, "invalid", 1);
}

static void
test_type_that_is_too_long (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *fits = g_strnfill (255, 't');
  g_autofree char *too_long = g_strnfill (256, 't');
  g_autoptr (GError) error = NULL;

  add_event (f, "1", fits);
  start (f);
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, NULL));

  g_ptr_array_set_size (f->events, 0);
  add_event (f, "1", too_long);
  start (f);
  g_assert_false (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (error->message, "type"));
}

/* The call may be repeated, and what is safe already is not sent again. */
static void
test_repeated_after_a_failure (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  add_event (f, "1", "mail");
  add_event (f, "2", "mail");
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNAVAILABLE, 1);
  start (f);
  assert_told (f, "publish 1 to mail\npublish 2 to mail\n");
  g_assert_false (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);

  start (f);
  assert_told (f, "publish 1 to mail\n");
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, NULL));

  start (f);
  assert_told (f, "");
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, NULL));
}

/* As for what is delivered: the setting says what an event must be. */
static void
test_nonconforming (Fixture *f, gconstpointer large)
{
  g_autofree char *data = g_strnfill (large != NULL ? 300 * 1024 : 1, 'x');
  char *json =
      g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"mail\","
                       "\"correlationId\":{},\"data\":\"%s\"}",
                       data);
  g_autoptr (GError) error = NULL;
  g_autofree char *log = NULL;

  g_ptr_array_add (f->events, g_bytes_new_take (json, strlen (json)));
  start (f);
  while (f->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  log = log_recorder_take ();
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_no_error (error);
  assert_told (f, "publish 1 to mail\n");
  g_assert_nonnull (strstr (log, "correlationId"));
  g_assert_cmpuint (amps_metrics_get_counter (f->metrics, AMPS_COUNTER_EVENTS_NONCONFORMING), ==,
                    1);

  g_clear_object (&f->result);
  g_assert_finalize_object (f->publisher);
  make_publisher (f, "EVENT_VALIDATION=strict");
  g_hash_table_remove_all (f->confirmed);
  start (f);
  while (f->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  assert_told (f, "");
}

/* Each event counts by itself, and when it is confirmed. */
static void
test_counts_events (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    int code;
    const char *result;
  } failures[] = {
    { AMPS_ERROR_UNROUTABLE, "unroutable" },
    { AMPS_ERROR_NOT_PERMITTED, "refused" },
    { AMPS_ERROR_TOO_LARGE, "refused" },
    { AMPS_ERROR_UNAVAILABLE, "unavailable" },
  };

  add_event (f, "1", "mail");
  add_event (f, "2", "mail");
  add_event (f, "3", "mail");
  for (unsigned int i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_hash_table_remove_all (f->confirmed);
      fake_broker_fail_publications (f->broker, failures[i].code, 1);
      start (f);
    }

  assert_counted (f, "unroutable", 1);
  assert_counted (f, "refused", 2);
  assert_counted (f, "unavailable", 1);
  assert_counted (f, "confirmed", 8);
  g_assert_cmpuint (amps_metrics_get_counter (f->metrics, AMPS_COUNTER_WORKLOADS_PUBLISHED), ==, 8);

  /* Only what was not safe before. */
  start (f);
  assert_counted (f, "confirmed", 9);
}

static void
test_of_nothing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_told (f, "");
  g_assert_true (amps_publisher_publish_finish (f->publisher, f->result, NULL));
}

/* The waiting ends, and the confirm that comes later finds nobody. */
static void
test_cancelled (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  add_event (f, "1", "mail");
  fake_broker_hold_publications (f->broker, TRUE);
  start (f);
  g_cancellable_cancel (f->cancellable);
  fake_broker_hold_publications (f->broker, FALSE);
  iterate ();
  g_assert_false (amps_publisher_publish_finish (f->publisher, f->result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_trace (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->trace =
      amps_trace_headers_read ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  add_event (f, "1", "mail");
  start (f);
  assert_told (f, "publish 1 to mail\n"
                  "with 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 a=1\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, test) g_test_add ("/publisher/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("type-names-the-queue", test_type_names_the_queue);
  ADD ("ends-with-the-last-confirm", test_ends_with_the_last_confirm);
  ADD ("nothing-if-one-is-invalid", test_nothing_if_one_is_invalid);
  ADD ("type-that-is-too-long", test_type_that_is_too_long);
  ADD ("repeated-after-a-failure", test_repeated_after_a_failure);
  ADD ("nonconforming", test_nonconforming);
  g_test_add ("/publication/nonconforming-large", Fixture, "large", set_up, test_nonconforming,
              tear_down);
  ADD ("counts-events", test_counts_events);
  ADD ("of-nothing", test_of_nothing);
  ADD ("cancelled", test_cancelled);
  ADD ("trace", test_trace);
  return g_test_run ();
}
