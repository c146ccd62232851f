/* SPDX-License-Identifier: MIT */
#include "broker/embedded/amps-embedded-lease.h"
#include "fixture-tests.h"

#include "base/amps-clock.h"

#define DURATION AMPS_SECONDS (30)
#define START AMPS_SECONDS (1000000)

typedef struct {
  AmpsEmbeddedStore *store;
  AmpsEmbeddedLease *lease;
  AmpsEmbeddedTime now;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  f->store = amps_embedded_store_open (":memory:", FALSE, &error);
  g_assert_no_error (error);
  f->lease = amps_embedded_lease_new (DURATION);
  f->now = (AmpsEmbeddedTime){ START, AMPS_SECONDS (50) };
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_embedded_lease_free (f->lease);
  amps_embedded_store_close (f->store);
}

static void
pass (Fixture *f, gint64 seconds)
{
  f->now.real += AMPS_SECONDS (seconds);
  f->now.boot += AMPS_SECONDS (seconds);
}

/* Returns: how many @owner gets */
static unsigned int
claim (Fixture *f, const char *owner, gint64 end, unsigned int limit)
{
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, "jobs", owner, f->now.real, end, limit, NULL);

  return jobs != NULL ? jobs->len : G_MAXUINT;
}

/* Returns: (nullable): the bodies of what is left, if an epoch has ended */
static char *
keep (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) left = NULL;
  GString *bodies;

  g_assert_true (amps_embedded_lease_keep (f->lease, f->store, f->now, &left, &error));
  g_assert_no_error (error);
  if (left == NULL)
    return NULL;

  bodies = g_string_new (NULL);
  for (unsigned int i = 0; i < left->len; i++)
    {
      const AmpsStoredJob *job = g_ptr_array_index (left, i);

      g_string_append_len (bodies, g_bytes_get_data (job->body, NULL),
                           (gssize) g_bytes_get_size (job->body));
      g_string_append_printf (bodies, "%u ", job->handed_out);
    }
  return g_string_free (bodies, FALSE);
}

static void
assert_kept (Fixture *f, const char *left)
{
  g_autofree char *bodies = keep (f);

  g_assert_cmpstr (bodies, ==, left);
}

static void
hold (Fixture *f, const char *bodies)
{
  for (; *bodies != '\0'; bodies++)
    {
      g_autoptr (GBytes) body = g_bytes_new (bodies, 1);

      g_assert_true (amps_embedded_store_publish (f->store, "jobs", body, f->now.real, NULL));
      f->lease->n_held++;
    }

  f->lease->end = f->now.boot + DURATION;
  g_assert_cmpuint (claim (f, f->lease->owner,
                           amps_embedded_lease_get_end_in_file (f->lease, f->now),
                           f->lease->n_held),
                    ==, f->lease->n_held);
}

/* In the file, seen from another process. */
static void
assert_taken_by_others_after (Fixture *f, gint64 seconds, unsigned int n_jobs)
{
  Fixture later = *f;

  pass (&later, seconds);
  g_assert_cmpuint (claim (&later, "other", later.now.real + DURATION, 10), ==, n_jobs);
}

static void
test_renewal (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, f->now), ==, G_MAXINT64);
  hold (f, "ab");
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, f->now), ==, DURATION / 3);
  pass (f, 9);
  assert_kept (f, NULL);
  assert_taken_by_others_after (f, 20, 0);
  pass (f, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, f->now), ==, 0);
  assert_kept (f, NULL);
  g_assert_cmpint (f->lease->end, ==, f->now.boot + DURATION);
  assert_taken_by_others_after (f, 29, 0);
  assert_taken_by_others_after (f, 30, 2);
}

/* As long as nobody takes them, the end of the lease changes nothing. */
static void
test_late_renewal (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  hold (f, "ab");
  pass (f, 3600);
  assert_kept (f, NULL);
  g_assert_cmpuint (f->lease->epoch, ==, 1);
  assert_taken_by_others_after (f, 29, 0);
}

/* Those that others did not take stay ours all the time. */
static void
test_loss (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *owner = g_strdup (f->lease->owner);

  hold (f, "abc");
  pass (f, 31);
  g_assert_cmpuint (claim (f, "other", f->now.real + DURATION, 1), ==, 1);
  assert_kept (f, "b2 c2 ");
  g_assert_cmpuint (f->lease->n_held, ==, 2);
  g_assert_cmpuint (f->lease->epoch, ==, 2);
  g_assert_cmpstr (f->lease->owner, !=, owner);
  assert_taken_by_others_after (f, 29, 0);
  assert_kept (f, NULL);
}

/* The main thread saw it first. */
static void
test_end (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  hold (f, "ab");
  amps_embedded_lease_end (f->lease, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, f->now), ==, 0);
  assert_kept (f, "a2 b2 ");
  g_assert_cmpuint (f->lease->epoch, ==, 2);

  amps_embedded_lease_end (f->lease, 1);
  assert_kept (f, NULL);
  g_assert_cmpuint (f->lease->epoch, ==, 2);
}

static void
test_end_of_nothing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_embedded_lease_end (f->lease, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, f->now), ==, 0);
  assert_kept (f, "");
  g_assert_cmpuint (f->lease->epoch, ==, 2);
}

static void
test_copy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsEmbeddedLease) before = NULL;

  hold (f, "a");
  before = amps_embedded_lease_copy (f->lease);
  amps_embedded_lease_end (f->lease, 1);
  assert_kept (f, "a2 ");
  g_assert_cmpstr (before->owner, !=, f->lease->owner);
  g_assert_cmpuint (before->epoch, ==, 1);
  g_assert_cmpuint (before->n_held, ==, 1);
}

/* What seemed to fail is in the file, as after an fsync(2) that failed. */
static void
test_transaction_that_seemed_to_fail (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsEmbeddedLease) before = NULL;

  hold (f, "ab");
  amps_embedded_lease_end (f->lease, 1);
  before = amps_embedded_lease_copy (f->lease);
  assert_kept (f, "a2 b2 ");

  amps_embedded_lease_free (f->lease);
  f->lease = g_steal_pointer (&before);
  assert_kept (f, "a3 b3 ");
  g_assert_cmpuint (f->lease->n_held, ==, 2);
  g_assert_cmpuint (f->lease->epoch, ==, 2);
  amps_embedded_lease_doubt (f->lease);
  assert_kept (f, NULL);
}

FIXTURE_TESTS = {
  { "/embedded-lease/renewal", test_renewal },
  { "/embedded-lease/late-renewal", test_late_renewal },
  { "/embedded-lease/loss", test_loss },
  { "/embedded-lease/end", test_end },
  { "/embedded-lease/end-of-nothing", test_end_of_nothing },
  { "/embedded-lease/copy", test_copy },
  { "/embedded-lease/transaction-that-seemed-to-fail", test_transaction_that_seemed_to_fail },
};

FIXTURE_TESTS_MAIN
