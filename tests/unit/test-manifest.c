/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "fixture-tests.h"
#include "jobs/amps-manifest.h"
#include "make-job.h"

#define CAPACITY 4

typedef struct {
  AmpsClock *clock;
  AmpsManifest *manifest;
  GString *expired; /* ids, in the order of their expiry */
} Fixture;

static void
on_expired (AmpsManifest *manifest G_GNUC_UNUSED, AmpsJob *job, Fixture *f)
{
  g_string_append (f->expired, amps_job_get_id (job));
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->manifest = amps_manifest_new (f->clock, CAPACITY);
  f->expired = g_string_new (NULL);
  g_signal_connect (f->manifest, "expired", G_CALLBACK (on_expired), f);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_finalize_object (f->manifest);
  g_assert_finalize_object (f->clock);
  g_string_free (f->expired, TRUE);
}

static void
add (Fixture *f, const char *id)
{
  g_autoptr (AmpsJob) job = make_job (id, id, 1);

  g_assert_cmpint (amps_manifest_add (f->manifest, job), ==, AMPS_ADDITION_NEW);
}

static AmpsJob *
run (Fixture *f, const char *id, gint64 timeout)
{
  AmpsJob *job = amps_manifest_lookup (f->manifest, id);

  g_assert_nonnull (job);
  amps_manifest_begin_run (f->manifest, job,
                           timeout > 0 ? amps_clock_get_monotonic_time (f->clock) + timeout : 0);
  return job;
}

static void
finish (Fixture *f, const char *id, AmpsOutcome outcome, const AmpsSettlement *settlement)
{
  AmpsJob *job = amps_manifest_lookup (f->manifest, id);

  g_assert_true (amps_manifest_decide (f->manifest, job, outcome));
  g_assert_null (amps_manifest_finish (f->manifest, job, settlement));
}

/* Another one begins after @outage. */
static void
end_epoch (Fixture *f, unsigned int epoch, gint64 outage)
{
  g_ptr_array_unref (amps_manifest_end_epoch (f->manifest, epoch));
  fake_clock_advance (f->clock, outage);
  amps_manifest_begin_epoch (f->manifest);
}

/* Checks the ids, of a letter each, of the jobs behind that number. */
static void
assert_listed (Fixture *f, guint64 number, unsigned int max, const char *expected)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list_after (f->manifest, number, max);
  g_autoptr (GString) ids = g_string_new (NULL);

  for (unsigned int i = 0; i < jobs->len; i++)
    g_string_append (ids, amps_job_get_id (g_ptr_array_index (jobs, i)));
  g_assert_cmpstr (ids->str, ==, expected);
}

static const AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };

static void
test_take (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &job, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
  g_clear_error (&error);

  add (f, "a");
  run (f, "a", 0);
  g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), ==, 1);
  g_assert_cmpuint (amps_manifest_get_n_running (f->manifest), ==, 0);
  amps_manifest_accept (f->manifest, amps_manifest_lookup (f->manifest, "a"));
  g_assert_cmpuint (amps_manifest_get_n_running (f->manifest), ==, 1);
  g_assert_true (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &job, &error));
  g_assert_no_error (error);
  g_assert_nonnull (job);
  g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), ==, 0);
  g_assert_cmpuint (amps_manifest_get_n_running (f->manifest), ==, 0);

  /* Before and after it has been settled. */
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (AmpsJob) none = NULL;

      g_assert_true (
          amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &none, &error));
      g_assert_no_error (error);
      g_assert_null (none);

      g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_REJECTED, &none, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
      g_clear_error (&error);
      g_assert_false (amps_manifest_decide (f->manifest, job, AMPS_OUTCOME_EXPIRED));

      if (i == 0)
        g_assert_null (amps_manifest_finish (f->manifest, job, &acknowledge));
      g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
    }
}

static void
test_given_back_is_not_found (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (GError) error = NULL;

  add (f, "a");
  finish (f, "a", AMPS_OUTCOME_RELEASED, NULL);
  g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &job, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
}

/* Of what is tried again the success counts, though it comes late, and nothing else. */
static void
test_given_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const AmpsOutcome outcomes[] = { AMPS_OUTCOME_EXPIRED, AMPS_OUTCOME_RETRIED };

  for (unsigned int i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      g_autoptr (AmpsJob) job = NULL;
      g_autoptr (GError) error = NULL;

      add (f, "a");
      finish (f, "a", outcomes[i], &acknowledge);
      g_assert_cmpstr (amps_manifest_get_given_up (f->manifest, "a"), ==, "a");
      g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_REJECTED, &job, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
      g_assert_true (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &job, NULL));
      g_assert_null (job);
      g_assert_null (amps_manifest_get_given_up (f->manifest, "a"));
      g_clear_error (&error);
      g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_REJECTED, &job, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
    }
}

static void
test_run_ids (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = NULL;
  g_autoptr (AmpsJob) none = NULL;
  g_autoptr (GError) error = NULL;
  AmpsJob *job;

  add (f, "a");
  job = run (f, "a", 0);
  first = g_strdup (amps_job_get_run_id (job));
  g_assert_true (amps_manifest_lookup (f->manifest, first) == job);

  amps_manifest_end_run (f->manifest, job, 2, TRUE, "it answered 500");
  g_assert_cmpstr (amps_job_get_detail (job), ==, "it answered 500");
  g_assert_cmpuint (amps_job_get_attempt (job), ==, 2);
  run (f, "a", 0);
  g_assert_cmpstr (amps_job_get_run_id (job), !=, first);
  g_assert_true (amps_manifest_lookup (f->manifest, amps_job_get_run_id (job)) == job);

  g_assert_false (amps_manifest_take (f->manifest, first, AMPS_OUTCOME_REJECTED, &none, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);

  g_autofree char *second = g_strdup (amps_job_get_run_id (job));

  finish (f, "a", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
  g_assert_true (amps_manifest_take (f->manifest, second, AMPS_OUTCOME_ACKNOWLEDGED, &none, NULL));
}

static void
test_deadlines (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add (f, "a");
  add (f, "b");
  add (f, "c");
  run (f, "a", AMPS_SECONDS (30));
  run (f, "b", AMPS_SECONDS (20));
  run (f, "c", 0);

  fake_clock_advance (f->clock, AMPS_SECONDS (19));
  g_assert_cmpstr (f->expired->str, ==, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpstr (f->expired->str, ==, "b");
  amps_manifest_set_deadline (f->manifest, amps_manifest_lookup (f->manifest, "a"),
                              amps_clock_get_monotonic_time (f->clock) + AMPS_SECONDS (100));
  fake_clock_advance (f->clock, AMPS_SECONDS (99));
  g_assert_cmpstr (f->expired->str, ==, "b");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpstr (f->expired->str, ==, "ba");

  finish (f, "a", AMPS_OUTCOME_EXPIRED, NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  g_assert_cmpstr (f->expired->str, ==, "ba");
}

/* They are of a run, and of none of those before it. */
static void
test_heartbeats (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  AmpsJob *job;
  gint64 deadline;

  add (f, "a");
  g_assert_false (amps_manifest_heartbeat (f->manifest, "a", 0, &deadline, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
  job = run (f, "a", AMPS_SECONDS (30));
  g_assert_cmpint (amps_job_get_heartbeat (job), ==, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (20));
  for (int i = 0; i < 2; i++)
    g_assert_true (amps_manifest_heartbeat (f->manifest, "a", AMPS_SECONDS (30), &deadline, NULL));
  g_assert_cmpint (deadline, ==, amps_clock_get_monotonic_time (f->clock) + AMPS_SECONDS (30));
  g_assert_cmpint (amps_job_get_heartbeat (job), ==, amps_clock_get_monotonic_time (f->clock));
  g_assert_cmpuint (amps_job_get_n_heartbeats (job), ==, 2);
  fake_clock_advance (f->clock, AMPS_SECONDS (29));
  g_assert_cmpstr (f->expired->str, ==, "");

  amps_manifest_end_run (f->manifest, job, 2, TRUE, NULL);
  run (f, "a", 0);
  g_assert_cmpint (amps_job_get_heartbeat (job), ==, 0);
  g_assert_cmpuint (amps_job_get_n_heartbeats (job), ==, 0);
}

/* The shorter one counts, unless the workload says how long it wants. */
static void
test_timeouts (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    gint64 job_timeout, heartbeat_timeout, extend, expected;
  } cases[] = {
    { 0, 0, 0, 0 },    { 60, 0, 0, 60 }, { 0, 20, 0, 20 },   { 60, 20, 0, 20 },
    { 20, 60, 0, 20 }, { 0, 0, 90, 90 }, { 60, 20, 90, 90 },
  };
  gint64 now = amps_clock_get_monotonic_time (f->clock);

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 expected = cases[i].expected != 0 ? now + cases[i].expected : 0;

      amps_manifest_set_timeouts (f->manifest, cases[i].job_timeout, cases[i].heartbeat_timeout);
      g_assert_cmpint (amps_manifest_get_new_deadline (f->manifest, cases[i].extend), ==, expected);
    }
}

static void
test_deciding (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (AmpsJob) none = NULL;
  g_autoptr (GError) error = NULL;

  add (f, "a");
  run (f, "a", AMPS_SECONDS (30));
  fake_clock_advance (f->clock, AMPS_SECONDS (10));

  g_assert_true (amps_manifest_begin_deciding (f->manifest, "a", &job, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), ==, 1);
  g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &none, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_BUSY);
  g_assert_false (amps_manifest_decide (f->manifest, job, AMPS_OUTCOME_RELEASED));
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  g_assert_cmpstr (f->expired->str, ==, "");

  /* The answer to its POST, which came meanwhile, must not be lost. */
  amps_manifest_accept (f->manifest, job);
  amps_manifest_stop_deciding (f->manifest, job);
  g_assert_cmpint (amps_job_get_state (job), ==, AMPS_JOB_RUNNING);
  fake_clock_advance (f->clock, AMPS_SECONDS (19));
  g_assert_cmpstr (f->expired->str, ==, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpstr (f->expired->str, ==, "a");
}

static void
test_duplicates (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) same = make_job ("a", "a", 1);
  g_autoptr (AmpsJob) other = make_job ("a", "other", 1);
  g_autoptr (AmpsJob) third = make_job ("a", "third", 1);
  g_autoptr (GPtrArray) duplicates = NULL;
  g_autoptr (AmpsJob) next = NULL;
  AmpsJob *job;

  add (f, "a");
  job = run (f, "a", 0);
  g_assert_cmpint (amps_manifest_add (f->manifest, same), ==, AMPS_ADDITION_DUPLICATE);
  g_assert_cmpint (amps_manifest_add (f->manifest, other), ==, AMPS_ADDITION_FOLLOWS);
  g_assert_cmpint (amps_manifest_add (f->manifest, third), ==, AMPS_ADDITION_FOLLOWS);

  amps_manifest_decide (f->manifest, job, AMPS_OUTCOME_ACKNOWLEDGED);
  duplicates = amps_job_steal_duplicates (job);
  g_assert_cmpuint (duplicates->len, ==, 1);
  g_assert_true (g_ptr_array_index (duplicates, 0) == amps_job_get_delivery (same));

  next = amps_manifest_finish (f->manifest, job, &acknowledge);
  g_assert_true (next == other);
  g_assert_true (amps_manifest_lookup (f->manifest, "a") == other);
  amps_manifest_decide (f->manifest, other, AMPS_OUTCOME_ACKNOWLEDGED);
  g_clear_object (&next);
  next = amps_manifest_finish (f->manifest, other, &acknowledge);
  g_assert_true (next == third);
}

/* A retry copy that comes while it is not known yet whether it was made. */
static void
test_successor (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const struct {
    AmpsOutcome outcome;
    unsigned int of;
    unsigned int copy;
    gboolean redelivered;
    AmpsAddition addition;
  } cases[] = {
    { AMPS_OUTCOME_RETRIED, 0, 1, FALSE, AMPS_ADDITION_FOLLOWS },
    { AMPS_OUTCOME_EXPIRED, 0, 1, FALSE, AMPS_ADDITION_FOLLOWS },
    { AMPS_OUTCOME_RESCHEDULED, 0, 1, FALSE, AMPS_ADDITION_FOLLOWS },
    { AMPS_OUTCOME_RETRIED, 0, 0, FALSE, AMPS_ADDITION_DUPLICATE },
    { AMPS_OUTCOME_ACKNOWLEDGED, 0, 1, FALSE, AMPS_ADDITION_DUPLICATE },
    /* Another AMPS had it before. */
    { AMPS_OUTCOME_RETRIED, 0, 1, TRUE, AMPS_ADDITION_FOLLOWS },
    { AMPS_OUTCOME_RETRIED, 1, 2, TRUE, AMPS_ADDITION_FOLLOWS },
    /* The same again, or the broker's double of it. */
    { AMPS_OUTCOME_RETRIED, 1, 1, TRUE, AMPS_ADDITION_DUPLICATE },
    { AMPS_OUTCOME_RETRIED, 1, 1, FALSE, AMPS_ADDITION_DUPLICATE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsJob) copy = make_job ("a", "a", 1);
      g_autoptr (AmpsJob) next = NULL;
      AmpsJob *job;

      add (f, "a");
      job = run (f, "a", 0);
      amps_manifest_decide (f->manifest, job, cases[i].outcome);
      amps_job_get_delivery (job)->copy = cases[i].of;
      amps_job_get_delivery (copy)->copy = cases[i].copy;
      amps_job_get_delivery (copy)->redelivered = cases[i].redelivered;
      g_assert_cmpint (amps_manifest_add (f->manifest, copy), ==, cases[i].addition);

      next = amps_manifest_finish (f->manifest, job, &acknowledge);
      g_assert_true (next == (cases[i].addition == AMPS_ADDITION_FOLLOWS ? copy : NULL));
      if (next != NULL)
        finish (f, "a", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
    }
}

static void
test_detached (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) dropped = NULL;
  g_autoptr (AmpsJob) again = make_redelivered_job ("run", "run", 2);
  AmpsJob *job;

  add (f, "run");
  add (f, "wait");
  job = run (f, "run", 0);

  dropped = amps_manifest_end_epoch (f->manifest, 1);
  g_assert_cmpuint (dropped->len, ==, 1);
  g_assert_cmpstr (amps_job_get_id (g_ptr_array_index (dropped, 0)), ==, "wait");
  g_assert_null (amps_manifest_lookup (f->manifest, "wait"));
  g_assert_true (amps_job_is_detached (job));
  g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), ==, 1);

  g_assert_cmpint (amps_manifest_add (f->manifest, again), ==, AMPS_ADDITION_ATTACHED);
  g_assert_false (amps_job_is_detached (job));
  g_assert_true (amps_job_get_delivery (job) == amps_job_get_delivery (again));
}

/* When a finished job may answer a delivery. */
static void
test_recall (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const struct {
    const char *what;
    gint64 outage; /* -1 for none */
    gboolean redelivered;
    unsigned int attempt;
    const char *body;
    gint64 wait;
    gboolean recalled;
  } cases[] = {
    { "the very case", 0, TRUE, 1, "a", 0, TRUE },
    { "after a long outage", AMPS_SECONDS (3600), TRUE, 1, "a", AMPS_SECONDS (600), TRUE },
    { "the connection lives", -1, TRUE, 1, "a", 0, FALSE },
    { "an id used again", 0, FALSE, 1, "a", 0, FALSE },
    { "a retry copy", 0, TRUE, 2, "a", 0, FALSE },
    { "another event", 0, TRUE, 1, "b", 0, FALSE },
    { "long ago", 0, TRUE, 1, "a", AMPS_SECONDS (601), FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsJob) again = cases[i].redelivered
                                      ? make_redelivered_job ("a", cases[i].body, 2)
                                      : make_job ("a", cases[i].body, 2);
      g_autoptr (AmpsJob) twice = make_redelivered_job ("a", "a", 3);
      AmpsSettlement settlement = { 0 };
      AmpsDelivery *delivery = amps_job_get_delivery (again);

      g_test_message ("%s", cases[i].what);
      delivery->attempt = cases[i].attempt;
      add (f, "a");
      run (f, "a", 0);
      finish (f, "a", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
      if (cases[i].outage >= 0)
        end_epoch (f, 1, cases[i].outage);
      fake_clock_advance (f->clock, cases[i].wait);

      g_assert_cmpint (amps_manifest_recall (f->manifest, again, &settlement), ==,
                       cases[i].recalled);
      if (!cases[i].recalled)
        continue;

      g_assert_cmpint (settlement.kind, ==, AMPS_SETTLE_ACKNOWLEDGE);
      g_assert_cmpint (amps_job_get_state (again), ==, AMPS_JOB_DECIDED);
      g_assert_null (amps_manifest_finish (f->manifest, again, &settlement));

      /* Only if this settlement, too, was lost. */
      g_assert_false (amps_manifest_recall (f->manifest, twice, &settlement));
      end_epoch (f, 2, 0);
      g_assert_true (amps_manifest_recall (f->manifest, twice, &settlement));
      g_assert_null (amps_manifest_finish (f->manifest, twice, NULL));
    }
}

static void
test_finished_while_detached (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const AmpsSettlement rejected = { .kind = AMPS_SETTLE_DEAD_LETTER,
                                    .attempt = 1,
                                    .reason = "rejected",
                                    .detail = (char *) "no such order" };
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "a", 2);
  AmpsSettlement settlement;

  add (f, "a");
  run (f, "a", 0);
  end_epoch (f, 1, 0);
  finish (f, "a", AMPS_OUTCOME_REJECTED, &rejected);

  g_assert_true (amps_manifest_recall (f->manifest, again, &settlement));
  g_assert_cmpint (settlement.kind, ==, AMPS_SETTLE_DEAD_LETTER);
  g_assert_cmpstr (settlement.reason, ==, "rejected");
  g_assert_cmpstr (settlement.detail, ==, "no such order");
  g_assert_cmpint (amps_job_get_outcome (again), ==, AMPS_OUTCOME_REJECTED);
  g_free (settlement.detail);
  g_assert_null (amps_manifest_finish (f->manifest, again, NULL));
}

/* The connection died between the confirmation of a retry copy and the
 * acknowledgement of the original: both come, the copy first. */
static void
test_original_after_its_copy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) copy = make_job ("a", "a", 2);
  g_autoptr (AmpsJob) original = make_redelivered_job ("a", "a", 2);
  AmpsSettlement settlement;

  add (f, "a");
  run (f, "a", 0);
  finish (f, "a", AMPS_OUTCOME_RETRIED, &acknowledge);
  end_epoch (f, 1, 0);

  amps_job_get_delivery (copy)->attempt = 2;
  g_assert_false (amps_manifest_recall (f->manifest, copy, &settlement));
  g_assert_cmpint (amps_manifest_add (f->manifest, copy), ==, AMPS_ADDITION_NEW);
  run (f, "a", 0);
  finish (f, "a", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);

  g_assert_true (amps_manifest_recall (f->manifest, original, &settlement));
  g_assert_cmpint (settlement.kind, ==, AMPS_SETTLE_ACKNOWLEDGE);
  g_assert_null (amps_manifest_finish (f->manifest, original, NULL));
}

static void
test_attempts_survive_the_connection (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "a", 2);
  AmpsSettlement settlement;
  AmpsJob *job;

  add (f, "a");
  job = run (f, "a", 0);
  amps_manifest_end_run (f->manifest, job, 3, TRUE, NULL);
  end_epoch (f, 1, 0);

  g_assert_false (amps_manifest_recall (f->manifest, again, &settlement));
  g_assert_cmpuint (amps_job_get_attempt (again), ==, 3);
  g_assert_cmpint (amps_manifest_add (f->manifest, again), ==, AMPS_ADDITION_NEW);
}

static void
test_capacity (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) none = NULL;

  for (char id[] = "a"; *id < 'a' + CAPACITY + 1; (*id)++)
    {
      add (f, id);
      finish (f, id, AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
    }

  g_assert_false (amps_manifest_take (f->manifest, "a", AMPS_OUTCOME_ACKNOWLEDGED, &none, NULL));
  g_assert_true (amps_manifest_take (f->manifest, "b", AMPS_OUTCOME_ACKNOWLEDGED, &none, NULL));
}

static void
test_list (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 number;

  assert_listed (f, 0, 10, "");
  for (const char *id = "edcba"; *id != '\0'; id++)
    {
      char text[] = { *id, '\0' };

      add (f, text);
    }
  number = amps_job_get_number (amps_manifest_lookup (f->manifest, "c"));
  assert_listed (f, 0, 10, "edcba");
  assert_listed (f, 0, 2, "ed");
  assert_listed (f, number, 10, "ba");

  /* A place stays where it was when its job has gone. */
  finish (f, "c", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
  finish (f, "e", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
  finish (f, "a", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge);
  add (f, "c");
  assert_listed (f, 0, 10, "dbc");
  assert_listed (f, number, 10, "bc");
  assert_listed (f, G_MAXUINT64, 10, "");
}

FIXTURE_TESTS = {
  { "/manifest/take", test_take },
  { "/manifest/list", test_list },
  { "/manifest/given-back-is-not-found", test_given_back_is_not_found },
  { "/manifest/given-up", test_given_up },
  { "/manifest/run-ids", test_run_ids },
  { "/manifest/deadlines", test_deadlines },
  { "/manifest/heartbeats", test_heartbeats },
  { "/manifest/timeouts", test_timeouts },
  { "/manifest/deciding", test_deciding },
  { "/manifest/duplicates", test_duplicates },
  { "/manifest/successor", test_successor },
  { "/manifest/detached", test_detached },
  { "/manifest/recall", test_recall },
  { "/manifest/finished-while-detached", test_finished_while_detached },
  { "/manifest/original-after-its-copy", test_original_after_its_copy },
  { "/manifest/attempts-survive-the-connection", test_attempts_survive_the_connection },
  { "/manifest/capacity", test_capacity },
};

FIXTURE_TESTS_MAIN
