/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "dispatcher-fixture.h"

#include <sys/resource.h>
#include <unistd.h>

typedef DispatcherFixture Fixture;

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  amps_decider_acknowledge_finish (AMPS_DECIDER (source), result, &error);
  *(int *) user_data = error != NULL ? error->code : -1;
}

static GPtrArray *
make_events (void)
{
  static const char first[] =
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"one\"}";
  static const char second[] =
      "{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/s\",\"type\":\"two\"}";
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (events, g_bytes_new_static (first, sizeof first - 1));
  g_ptr_array_add (events, g_bytes_new_static (second, sizeof second - 1));
  return events;
}

static void
test_publish_with_acknowledgement (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  g_autoptr (GError) error = NULL;
  gint64 deadline;
  int code = -2;

  run (f, "a");

  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  g_assert_false (amps_decider_reject (f->decider, "a", NULL, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_BUSY);
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  g_assert_true (amps_decider_heartbeat (f->decider, "a", AMPS_SECONDS (500), &deadline, NULL));
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNAVAILABLE, 1);
  fake_broker_hold_publications (f->broker, FALSE);
  assert_told (f, "publish 1 to one\npublish 2 to two\n");
  g_assert_cmpint (code, ==, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpint (amps_job_get_deadline (amps_manifest_lookup (f->manifest, "a")), ==, deadline);

  /* The first one failed; the second one is not published again. */
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  assert_told (f, "publish 1 to one\nacknowledge 1\n");
  g_assert_cmpint (code, ==, -1);
}

/* What is published for a job is of its trace, unless the caller knows better. */
static void
test_publish_in_trace (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
#define OF_JOB "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define OF_CALL "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
  g_autoptr (GPtrArray) events = make_events ();
  g_autoptr (AmpsTraceHeaders) trace = amps_trace_headers_read (OF_CALL, NULL);
  int code = -2;

  g_ptr_array_set_size (events, 1);
  for (unsigned int i = 0; i < 2; i++)
    {
      AmpsJob *job = make_job (i == 0 ? "a" : "b", "{}", 0);

      amps_job_get_delivery (job)->traceparent = g_strdup (OF_JOB);
      amps_job_get_delivery (job)->tracestate = g_strdup ("k=v");
      deliver (f, job);
      iterate_until_posted (f, i + 1);
    }
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  assert_told (f, "publish 1 to one\nwith " OF_JOB " k=v\nacknowledge 1\n");
  amps_decider_acknowledge_async (f->decider, "b", events, trace, NULL, on_done, &code);
  assert_told (f, "publish 1 to one\nwith " OF_CALL " \nacknowledge 2\n");
}

/* Of a job that was given up nothing can be reserved, but what is published with its
 * late acknowledgement is. */
static void
test_publish_with_late_acknowledgement (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;
  int busy = -2;

  f->status = 500;
  run (f, "a");
  assert_told (f, "retry 1 attempt 2\n");
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNAVAILABLE, 1);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  assert_told (f, "publish 1 to one\npublish 2 to two\n");
  g_assert_cmpint (code, ==, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpstr (amps_manifest_get_given_up (f->manifest, "a"), ==, "a");

  /* Only what was not confirmed, and only once of those who ask for it at once. */
  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &busy);
  iterate_until_idle ();
  g_assert_cmpint (busy, ==, AMPS_ERROR_BUSY);
  fake_broker_hold_publications (f->broker, FALSE);
  assert_told (f, "publish 1 to one\n");
  g_assert_cmpint (code, ==, -1);
  g_assert_null (amps_manifest_get_given_up (f->manifest, "a"));

  /* It is done, so nothing is published again. */
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  assert_told (f, "");
  g_assert_cmpint (code, ==, -1);
}

/* A job that waits to be sent is acknowledged together with a publication, which
 * fails: it keeps its one place. */
static void
test_publish_while_waiting (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;

  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  iterate_until_posted (f, 1);
  deliver (f, make_job ("c", "c", 0));
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNROUTABLE, 2);
  amps_decider_acknowledge_async (f->decider, "c", events, NULL, NULL, on_done, &code);
  iterate_until_idle ();
  g_assert_cmpint (code, ==, AMPS_ERROR_UNROUTABLE);

  amps_decider_acknowledge (f->decider, "a", NULL);
  amps_decider_acknowledge (f->decider, "b", NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_posted (f, 2);
  g_assert_cmpint (amps_job_get_state (amps_manifest_lookup (f->manifest, "c")), ==,
                   AMPS_JOB_RUNNING);
}

static void
fail_held_publication (Fixture *f)
{
  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNAVAILABLE, 2);
  fake_broker_hold_publications (f->broker, FALSE);
  iterate_until_idle ();
}

/* What will never be published must not let the job run again and again; what may be
 * later is not the job's fault. */
static void
test_answer_that_is_not_published (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const AmpsError for_good[] = { AMPS_ERROR_NOT_PERMITTED, AMPS_ERROR_TOO_LARGE,
                                        AMPS_ERROR_UNROUTABLE };

  f->status = 200;
  f->answer = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"next\"}";
  for (unsigned int i = 0; i < G_N_ELEMENTS (for_good); i++)
    {
      g_autofree char *told =
          g_strdup_printf ("publish 1 to next\ndead-letter %u rejected\n", i + 1);

      fake_broker_fail_publications (f->broker, (int) for_good[i], 1);
      run (f, "a");
      assert_told (f, told);
    }

  fake_broker_fail_publications (f->broker, AMPS_ERROR_UNAVAILABLE, 1);
  run (f, "a");
  assert_told (f, "publish 1 to next\nretry 4 attempt 1\n");
}

static void
test_publish_while_draining (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;

  run (f, "a");
  deliver (f, make_job ("b", "b", 0));
  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "b", events, NULL, NULL, on_done, &code);
  amps_lifecycle_drain (f->lifecycle);
  amps_decider_acknowledge (f->decider, "a", NULL);
  fail_held_publication (f);
  g_assert_cmpuint (f->n_posts, ==, 1);
  assert_told (f, "publish 1 to one\npublish 2 to two\nstop consuming\nacknowledge 1\nrelease 2\n");
}

/* Nothing is left behind when all is to be given back. */
static void
test_publish_in_a_hurry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;

  run (f, "a");
  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  amps_lifecycle_hurry (f->lifecycle);
  fail_held_publication (f);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  assert_told (f, "publish 1 to one\npublish 2 to two\nstop consuming\nrelease 1\n");
}

static void
test_publish_while_detached (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;

  run (f, "a");
  deliver (f, make_job ("b", "b", 0));
  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "b", events, NULL, NULL, on_done, &code);
  fake_broker_lose_connection (f->broker);
  fail_held_publication (f);
  g_assert_null (amps_manifest_lookup (f->manifest, "b"));

  amps_decider_acknowledge (f->decider, "a", NULL);
  fake_broker_lose_connection (f->broker);
  deliver (f, make_redelivered_job ("b", "b", 0));
  assert_told (f, "publish 1 to one\npublish 2 to two\nrelease 3\n");
  deliver (f, make_redelivered_job ("b", "b", 0));
  iterate_until_posted (f, 2);
}

/* Nothing of a batch that was rejected as a whole is POSTed any more. */
static void
test_drain_of_batch (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 0;
  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  iterate_until_posted (f, 1);
  amps_lifecycle_drain (f->lifecycle);
  soup_server_message_set_status (f->held, 404, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  assert_told (f, "stop consuming\nrelease 2\nrelease 1\n");
  g_assert_cmpuint (f->n_posts, ==, 1);
}

/* As when there are too many connections already. */
static void
test_no_file_descriptor (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  int lowest_free = dup (STDERR_FILENO);
  struct rlimit limit, reached;

  close (lowest_free);
  getrlimit (RLIMIT_NOFILE, &limit);
  reached = (struct rlimit){ (rlim_t) lowest_free, limit.rlim_max };
  setrlimit (RLIMIT_NOFILE, &reached);
  deliver (f, make_job ("a", "a", 0));
  assert_told (f, "stop consuming\n");
  setrlimit (RLIMIT_NOFILE, &limit);

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_posted (f, 1);
  g_assert_cmpuint (amps_job_get_attempt (amps_manifest_lookup (f->manifest, "a")), ==, 1);
  assert_told (f, "consume\n");
}

/* Whatever the clock shows is the end of the lease. */
static void
end_epoch_by_the_clock (AmpsBroker *broker)
{
  AmpsClock *clock = g_object_get_data (G_OBJECT (broker), "clock");

  if (amps_clock_get_boot_time (clock) > AMPS_SECONDS (30))
    amps_broker_end_epoch (broker);
}

static void
let_leases_end (Fixture *f)
{
  g_object_set_data (G_OBJECT (f->broker), "clock", f->clock);
  AMPS_BROKER_GET_CLASS (f->broker)->check_lease = end_epoch_by_the_clock;
}

static void
assert_not_here (gboolean answer, GError **error)
{
  g_assert_false (answer);
  g_assert_error (*error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
  g_clear_error (error);
}

/* Another process has the jobs, though nobody has told so yet. */
static void
test_lease_that_has_ended (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const ids[] = { "a", "b", "c", "d", "e" };
  g_autoptr (GError) error = NULL;
  gint64 deadline;

  let_leases_end (f);
  for (unsigned int i = 0; i < G_N_ELEMENTS (ids); i++)
    run (f, ids[i]);
  g_assert_true (amps_decider_heartbeat (f->decider, "a", 0, &deadline, NULL));
  fake_clock_skip (f->clock, AMPS_SECONDS (31));

  for (unsigned int again = 0; again < 2; again++)
    {
      assert_not_here (amps_decider_acknowledge (f->decider, "a", &error), &error);
      assert_not_here (amps_decider_reject (f->decider, "b", NULL, &error), &error);
      assert_not_here (amps_decider_reschedule (f->decider, "c", 0, &error), &error);
      assert_not_here (amps_decider_heartbeat (f->decider, "d", 0, &deadline, &error), &error);
    }
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 1);
  assert_told (f, "");

  /* They come here again after all. Who was told that a job is not his may have undone
   * what he did, so it runs anew; what nobody asked for is attached. */
  amps_broker_begin_epoch (AMPS_BROKER (f->broker));
  AMPS_BROKER_GET_CLASS (f->broker)->check_lease = NULL;
  deliver (f, make_redelivered_job ("e", "e", 0));
  g_assert_true (amps_decider_acknowledge (f->decider, "e", NULL));
  assert_told (f, "acknowledge 6\n");
  g_assert_cmpuint (f->n_posts, ==, 5);
  for (unsigned int i = 0; i < 4; i++)
    {
      g_autofree char *told = g_strdup_printf ("release %u\n", 7 + 2 * i);

      deliver (f, make_redelivered_job (ids[i], ids[i], 0));
      assert_told (f, told);
      deliver (f, make_redelivered_job (ids[i], ids[i], 0));
      iterate_until_posted (f, 6 + i);
    }
}

/* Nothing is published for a job that others have; and if its lease ends meanwhile,
 * it is not acknowledged. */
static void
test_publish_when_the_lease_has_ended (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = make_events ();
  int code = -2;

  let_leases_end (f);
  run (f, "a");
  run (f, "b");
  fake_broker_hold_publications (f->broker, TRUE);
  amps_decider_acknowledge_async (f->decider, "a", events, NULL, NULL, on_done, &code);
  assert_told (f, "publish 1 to one\npublish 2 to two\n");
  fake_clock_skip (f->clock, AMPS_SECONDS (31));
  fake_broker_hold_publications (f->broker, FALSE);
  assert_told (f, "");
  g_assert_cmpint (code, ==, AMPS_ERROR_NOT_FOUND);

  amps_decider_acknowledge_async (f->decider, "b", events, NULL, NULL, on_done, &code);
  assert_told (f, "");
  g_assert_cmpint (code, ==, AMPS_ERROR_NOT_FOUND);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  AMPS_BROKER_GET_CLASS (f->broker)->check_lease = NULL;
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/decider/publish-with-acknowledgement", test_publish_with_acknowledgement, NULL },
    { "/decider/publish-in-trace", test_publish_in_trace, NULL },
    { "/decider/publish-with-late-acknowledgement", test_publish_with_late_acknowledgement, NULL },
    { "/decider/publish-while-waiting", test_publish_while_waiting,
      "MAX_CONCURRENCY=2\nWORKLOAD_BATCH_SIZE=2" },
    { "/decider/answer-that-is-not-published", test_answer_that_is_not_published,
      "WORKLOAD_MODE=sync" },
    { "/decider/publish-while-draining", test_publish_while_draining, "MAX_CONCURRENCY=1" },
    { "/decider/publish-in-a-hurry", test_publish_in_a_hurry, NULL },
    { "/decider/publish-while-detached", test_publish_while_detached, "MAX_CONCURRENCY=1" },
    { "/decider/drain-of-batch", test_drain_of_batch,
      "WORKLOAD_BATCH_SIZE=2\nWORKLOAD_BATCH_WAIT=1m" },
    { "/decider/lease-that-has-ended", test_lease_that_has_ended, NULL },
    { "/decider/publish-when-the-lease-has-ended", test_publish_when_the_lease_has_ended, NULL },
    { "/decider/no-file-descriptor", test_no_file_descriptor, "MAX_ATTEMPTS=1" },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
