/* SPDX-License-Identifier: MIT */
#include "broker-conformance.h"

#include "base/amps-error.h"

#include <string.h>

#define PATIENCE AMPS_SECONDS (30)      /* more than a busy machine takes for anything */
#define SILENCE AMPS_MILLISECONDS (400) /* what has not come by then does not come */
#define DELAY AMPS_SECONDS (1)          /* the shortest that all brokers know */

typedef struct {
  const ConformanceCandidate *candidate;
  AmpsClock *clock;
  char *subject;
  AmpsBroker *broker;
  GPtrArray *jobs; /* of AmpsJob: delivered, and not taken yet */
  unsigned int n_began;
  unsigned int n_lost;
} Fixture;

typedef struct {
  const ConformanceCandidate *candidate;
  const char *name;
  gboolean policy; /* rejected messages are left to the broker */
  void (*run) (Fixture *f, gconstpointer data);
} Test;

/* Waiting */

static gboolean
on_alarm (gpointer over)
{
  *(gboolean *) over = TRUE;
  return G_SOURCE_REMOVE;
}

/* Until @wait, or so long that it does not come. */
static void
iterate_until (gboolean (*wait) (gpointer data), gpointer data, gint64 limit)
{
  gboolean over = FALSE;
  unsigned int alarm = g_timeout_add ((guint) (limit / 1000), on_alarm, &over);

  while (!over && !wait (data))
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (alarm);
}

static gboolean
is_never (gpointer data G_GNUC_UNUSED)
{
  return FALSE;
}

static gboolean
is_consuming (gpointer broker)
{
  return amps_broker_get_state (broker) == AMPS_BROKER_CONSUMING;
}

static gboolean
has_result (gpointer result)
{
  return *(GAsyncResult **) result != NULL;
}

static gboolean
has_job (gpointer jobs)
{
  return ((GPtrArray *) jobs)->len > 0;
}

static gboolean
has_begun_again (gpointer fixture)
{
  return ((Fixture *) fixture)->n_began > 1;
}

static void
on_ended (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
wait_for_result (GAsyncResult **result)
{
  iterate_until (has_result, result, PATIENCE);
  g_assert_nonnull (*result);
}

/* Life of a broker */

static void
on_delivered (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, Fixture *f)
{
  g_ptr_array_add (f->jobs, g_object_ref (job));
}

static void
on_began (AmpsBroker *broker G_GNUC_UNUSED, Fixture *f)
{
  f->n_began++;
}

static void
on_lost (AmpsBroker *broker G_GNUC_UNUSED, unsigned int epoch G_GNUC_UNUSED, Fixture *f)
{
  f->n_lost++;
}

static void
create (Fixture *f, gboolean policy)
{
  f->broker = f->candidate->create (f->candidate->data, f->subject, policy, f->clock);
  f->n_began = 0;
  f->n_lost = 0;
  g_signal_connect (f->broker, "delivered", G_CALLBACK (on_delivered), f);
  g_signal_connect (f->broker, "began", G_CALLBACK (on_began), f);
  g_signal_connect (f->broker, "lost", G_CALLBACK (on_lost), f);
}

static void
start (Fixture *f)
{
  amps_broker_set_consuming (f->broker, TRUE);
  amps_broker_start (f->broker);
  iterate_until (is_consuming, f->broker, PATIENCE);
  g_assert_cmpstr (amps_broker_state_to_string (amps_broker_get_state (f->broker)), ==,
                   "consuming");
  g_assert_cmpuint (f->n_began, ==, 1);
}

static void
end (Fixture *f)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  amps_broker_stop_async (f->broker, NULL, on_ended, &result);
  wait_for_result (&result);
  g_assert_true (amps_broker_stop_finish (f->broker, result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (amps_broker_get_state (f->broker), !=, AMPS_BROKER_CONSUMING);
  g_ptr_array_set_size (f->jobs, 0);
}

static void
stop (Fixture *f)
{
  end (f);
  g_assert_finalize_object (g_steal_pointer (&f->broker));
}

/* What another AMPS finds. */
static void
start_another (Fixture *f)
{
  stop (f);
  create (f, FALSE);
  start (f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const Test *test = data;

  f->candidate = test->candidate;
  f->clock = shifted_clock_new ();
  f->subject = g_strdup_printf ("conformance-%s-%" G_GINT64_FORMAT, test->name, g_get_real_time ());
  f->jobs = g_ptr_array_new_with_free_func (g_object_unref);
  create (f, test->policy);
}

/* @data: (transfer full): of a test that runs once */
static void
tear_down (Fixture *f, gpointer data)
{
  stop (f);
  g_ptr_array_unref (f->jobs);
  g_free (f->subject);
  g_object_unref (f->clock);
  g_free (data);
}

/* What a broker does */

/* Returns: (transfer full) (nullable): what was wrong */
static GError *
publish_text (Fixture *f, const char *queue, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;
  gboolean published;

  amps_broker_publish_async (f->broker, queue, "id", NULL, body, NULL, on_ended, &result);
  wait_for_result (&result);
  published = amps_broker_publish_finish (f->broker, result, &error);
  g_assert_cmpint (published, ==, error == NULL);
  return error;
}

static char *
make_event (unsigned int number)
{
  return g_strdup_printf (
      "{\"specversion\":\"1.0\", \"id\":\"%u\",\"source\":\"/s\",\"type\":\"t\"}", number);
}

static void
publish (Fixture *f, unsigned int number)
{
  g_autofree char *event = make_event (number);
  g_autoptr (GError) error = publish_text (f, f->subject, event);

  g_assert_no_error (error);
}

/* Returns: (transfer full): the next job */
static AmpsJob *
take (Fixture *f)
{
  iterate_until (has_job, f->jobs, PATIENCE);
  g_assert_cmpuint (f->jobs->len, >, 0);
  return g_ptr_array_steal_index (f->jobs, 0);
}

static void
assert_silence (Fixture *f)
{
  iterate_until (is_never, NULL, SILENCE);
  g_assert_cmpuint (f->jobs->len, ==, 0);
}

static AmpsSettled
settle_with (Fixture *f, AmpsJob *job, AmpsSettlement settlement, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  settlement.copy = 1;
  amps_broker_settle_async (f->broker, amps_job_get_delivery (job), &settlement, NULL, on_ended,
                            &result);
  wait_for_result (&result);
  return amps_broker_settle_finish (f->broker, result, error);
}

static void
settle (Fixture *f, AmpsJob *job, AmpsSettlement settlement, AmpsSettled expected)
{
  g_autoptr (GError) error = NULL;
  AmpsSettled settled = settle_with (f, job, settlement, &error);

  g_assert_no_error (error);
  g_assert_cmpint (settled, ==, expected);
}

static void
acknowledge (Fixture *f, AmpsJob *job)
{
  settle (f, job, (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }, AMPS_SETTLED_ACKNOWLEDGED);
}

/* Returns: how many messages are in the queue; a broker may be late to know */
static guint64
count (Fixture *f, const char *suffix)
{
  g_autofree char *queue = g_strconcat (f->subject, suffix, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (AmpsQueueDepths) depths = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_messages;

  amps_broker_count_messages_async (f->broker, NULL, on_ended, &result);
  wait_for_result (&result);
  depths = amps_broker_count_messages_finish (f->broker, result, &error);
  g_assert_no_error (error);
  g_assert_true (amps_queue_depths_get (depths, queue, &n_messages));
  return n_messages;
}

static void
assert_count (Fixture *f, const char *suffix, guint64 expected)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (count (f, suffix) != expected && g_get_monotonic_time () < end)
    iterate_until (is_never, NULL, AMPS_MILLISECONDS (100));
  g_assert_cmpuint (count (f, suffix), ==, expected);
}

static void
assert_is (AmpsJob *job, unsigned int number, gboolean redelivered, unsigned int attempt)
{
  const AmpsDelivery *delivery = amps_job_get_delivery (job);
  g_autofree char *id = g_strdup_printf ("%u", number);

  g_assert_no_error (amps_job_get_problem (job));
  g_assert_cmpstr (amps_job_get_id (job), ==, id);
  g_assert_cmpint (delivery->redelivered, ==, redelivered);
  g_assert_cmpuint (delivery->attempt, ==, attempt);
}

/* The tests */

static void
test_deliver (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  for (unsigned int number = 1; number <= 3; number++)
    publish (f, number);

  for (unsigned int number = 1; number <= 3; number++)
    {
      g_autofree char *event = make_event (number);
      g_autoptr (AmpsJob) job = take (f);
      gsize size;
      const char *body = g_bytes_get_data (amps_job_get_body (job), &size);

      assert_is (job, number, FALSE, 1);
      g_assert_cmpmem (body, size, event, strlen (event));
      g_assert_true (amps_broker_is_alive (f->broker, amps_job_get_delivery (job)));
      acknowledge (f, job);
    }
  start_another (f);
  assert_silence (f);
  assert_count (f, "", 0);
}

/* What is no event is delivered, too, and settled like any other. */
static void
test_malformed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;

  start (f);
  g_assert_null (publish_text (f, f->subject, "no event"));
  job = take (f);
  g_assert_error (amps_job_get_problem (job), AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  settle (f, job, (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "malformed" },
          AMPS_SETTLED_MOVED);
  assert_count (f, ".dead", 1);
}

/* An attempt counts if the job is to blame. */
static void
test_requeue (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    AmpsSettlement settlement;
    unsigned int attempt; /* the next one */
  } cases[] = {
    { { .kind = AMPS_SETTLE_REQUEUE }, 1 },
    { { .kind = AMPS_SETTLE_REQUEUE_FAILED, .attempt = 2 }, 2 },
  };

  start (f);
  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsJob) job = NULL;
      g_autoptr (AmpsJob) again = NULL;

      publish (f, i);
      job = take (f);
      assert_is (job, i, FALSE, 1);
      settle (f, job, cases[i].settlement, AMPS_SETTLED_REQUEUED);
      again = take (f);
      /* What has failed may come as a copy, which was not delivered before. */
      if (cases[i].settlement.kind == AMPS_SETTLE_REQUEUE)
        g_assert_true (amps_job_get_delivery (again)->redelivered);
      assert_is (again, i, amps_job_get_delivery (again)->redelivered, cases[i].attempt);
      acknowledge (f, again);
    }
}

static void
test_retry (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (AmpsJob) again = NULL;
  gint64 begun;

  start (f);
  publish (f, 1);
  job = take (f);
  begun = g_get_monotonic_time ();
  settle (f, job,
          (AmpsSettlement){
              .kind = AMPS_SETTLE_RETRY, .delay = DELAY, .attempt = 2, .reason = "status" },
          AMPS_SETTLED_MOVED);
  again = take (f);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, DELAY - AMPS_MILLISECONDS (50));
  assert_is (again, 1, FALSE, 2);
  acknowledge (f, again);
  assert_count (f, ".retry", 0);
}

static void
test_dead_letter (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;

  start (f);
  publish (f, 1);
  job = take (f);
  settle (f, job, (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" },
          AMPS_SETTLED_MOVED);
  assert_count (f, ".dead", 1);
  start_another (f);
  assert_silence (f);
}

static void
test_reject (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;

  start (f);
  publish (f, 1);
  job = take (f);
  settle (f, job, (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" },
          AMPS_SETTLED_REJECTED);
  start_another (f);
  assert_silence (f);
}

/* What was held comes again, in the next epoch, and only there it can be settled. */
static void
test_lost (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) held = NULL;
  g_autoptr (AmpsJob) other = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  publish (f, 1);
  publish (f, 2);
  held = take (f);
  other = take (f);
  f->candidate->lose (f->candidate->data, f->broker, amps_job_get_delivery (held),
                      SHIFTED_CLOCK (f->clock));
  iterate_until (has_begun_again, f, PATIENCE);
  g_assert_cmpuint (f->n_lost, ==, 1);
  g_assert_cmpuint (f->n_began, ==, 2);
  g_assert_false (amps_broker_is_alive (f->broker, amps_job_get_delivery (held)));

  for (unsigned int i = 0; i < 2; i++)
    {
      g_autoptr (AmpsJob) again = take (f);

      g_assert_true (amps_job_get_delivery (again)->redelivered);
      g_assert_cmpuint (amps_job_get_delivery (again)->epoch, ==,
                        amps_job_get_delivery (held)->epoch + 1);
      acknowledge (f, again);
    }
  g_assert_cmpint (
      settle_with (f, held, (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }, &error), ==,
      AMPS_SETTLED_NOT);
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_DETACHED);
  assert_silence (f);
}

/* Confirmed, refused, and neither. */
static void
test_publish (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *missing = g_strconcat (f->subject, ".missing", NULL);
  g_autoptr (GError) early = publish_text (f, f->subject, "{}");
  g_autoptr (GError) refused = NULL;

  g_assert_error (early, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  start (f);
  refused = publish_text (f, missing, "{}");
  if (f->candidate->makes_queues)
    g_assert_no_error (refused);
  else
    g_assert_error (refused, AMPS_ERROR, AMPS_ERROR_UNROUTABLE);
  assert_silence (f);
}

static void
test_prefetch (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) first = NULL;
  g_autoptr (AmpsJob) second = NULL;
  g_autoptr (AmpsJob) third = NULL;

  amps_broker_set_prefetch (f->broker, 2);
  start (f);
  for (unsigned int number = 1; number <= 4; number++)
    publish (f, number);
  first = take (f);
  second = take (f);
  assert_silence (f);

  acknowledge (f, second);
  third = take (f);
  assert_silence (f);
  assert_is (third, 3, FALSE, 1);

  amps_broker_set_prefetch (f->broker, 3);
  g_object_unref (take (f));
  acknowledge (f, first);
}

/* What is held can be settled. Some may still come just after it was said. */
static void
test_pause (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) held = NULL;
  g_autoptr (AmpsJob) next = NULL;

  start (f);
  publish (f, 1);
  held = take (f);
  amps_broker_set_consuming (f->broker, FALSE);
  assert_silence (f);
  g_assert_cmpint (amps_broker_get_state (f->broker), ==, AMPS_BROKER_CONNECTED);
  publish (f, 2);
  acknowledge (f, held);
  assert_silence (f);
  assert_count (f, "", 1);

  amps_broker_set_consuming (f->broker, TRUE);
  next = take (f);
  assert_is (next, 2, FALSE, 1);
  g_assert_cmpuint (f->n_lost, ==, 0);
  acknowledge (f, next);
}

/* What is on its way is sent and answered; what is held goes back. */
static void
test_stop (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *event = make_event (2);
  g_autoptr (GBytes) body = g_bytes_new (event, strlen (event));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (AmpsJob) held = NULL;
  g_autoptr (AmpsJob) again = NULL;

  start (f);
  publish (f, 1);
  held = take (f);
  amps_broker_set_consuming (f->broker, FALSE);
  amps_broker_publish_async (f->broker, f->subject, "2", NULL, body, NULL, on_ended, &result);
  end (f);
  wait_for_result (&result);
  amps_broker_publish_finish (f->broker, result, NULL);
  g_clear_object (&result);
  g_assert_finalize_object (f->broker);
  create (f, FALSE);
  start (f);

  again = take (f);
  if (g_str_equal (amps_job_get_id (again), "2"))
    {
      acknowledge (f, again);
      g_object_unref (again);
      again = take (f);
    }
  assert_is (again, 1, TRUE, 1);
  acknowledge (f, again);
}

/* Adds the tests of @candidate, which outlives them. */
void
broker_conformance_add (const ConformanceCandidate *candidate)
{
  const Test tests[] = {
    { candidate, "deliver", FALSE, test_deliver },
    { candidate, "malformed", FALSE, test_malformed },
    { candidate, "requeue", FALSE, test_requeue },
    { candidate, "retry", FALSE, test_retry },
    { candidate, "dead-letter", FALSE, test_dead_letter },
    { candidate, "reject", TRUE, test_reject },
    { candidate, "lost", FALSE, test_lost },
    { candidate, "publish", FALSE, test_publish },
    { candidate, "prefetch", FALSE, test_prefetch },
    { candidate, "pause", FALSE, test_pause },
    { candidate, "stop", FALSE, test_stop },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/broker-conformance/%s/%s", candidate->name, tests[i].name);

      g_test_add_vtable (path, sizeof (Fixture), g_memdup2 (&tests[i], sizeof tests[i]),
                         (GTestFixtureFunc) set_up, (GTestFixtureFunc) tests[i].run,
                         (GTestFixtureFunc) tear_down);
    }
}
