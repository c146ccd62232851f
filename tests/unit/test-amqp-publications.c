/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-publications.h"
#include "fixture-tests.h"

#include "base/amps-error.h"
#include "fake-clock.h"

#define NOT_TOLD (-2)
#define SUCCEEDED (-1)

/* Given to the publications to be sent. */
typedef struct {
  AmpsAmqpCommand command;
  unsigned int *n_freed;
} Command;

typedef struct {
  AmpsClock *clock;
  AmpsAmqpDeduplicator *deduplicator;
  AmpsAmqpPublications *publications;
  AmpsDelivery *original;
  gint64 delay;     /* µs: of copies */
  int settled;      /* AmpsSettlementKind, or NOT_TOLD */
  int result;       /* error code, SUCCEEDED or NOT_TOLD */
  AmpsSettled done; /* with a copy that is confirmed */
  unsigned int n_sent;
  unsigned int n_freed; /* commands, of those that were sent, too */
  unsigned int n_told;
  GAsyncReadyCallback callback;
} Fixture;

static void
on_settle (AmpsDelivery *original, AmpsSettlementKind kind, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (original == f->original);
  f->settled = (int) kind;
}

static void
command_free (gpointer data)
{
  Command *command = data;

  (*command->n_freed)++;
  g_free (command);
}

static void
on_send (AmpsAmqpCommand *command, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_sent++;
  command->free (command);
}

static void
on_done (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  f->result = g_task_propagate_boolean (G_TASK (result), &error) ? SUCCEEDED : error->code;
}

static void
on_copied (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;
  gssize done = g_task_propagate_int (G_TASK (result), &error);

  f->done = done >= 0 ? (AmpsSettled) done : AMPS_SETTLED_NOT;
  f->result = done >= 0 ? SUCCEEDED : error->code;
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);

  f->clock = fake_clock_new ();
  f->deduplicator = amps_amqp_deduplicator_new (f->clock);
  f->publications = amps_amqp_publications_new (f->clock, f->deduplicator, on_settle, on_send, f);
  f->original = amps_delivery_new (g_bytes_ref (body));
  f->settled = NOT_TOLD;
  f->result = NOT_TOLD;
  f->callback = on_copied;
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_publications_free (f->publications);
  amps_amqp_deduplicator_free (f->deduplicator);
  amps_delivery_unref (f->original);
  g_object_unref (f->clock);
}

static void
iterate (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static guint64
add_copy (Fixture *f, AmpsSettlementKind otherwise)
{
  const AmpsSettlement settlement = { .kind = otherwise, .copy = 7, .delay = f->delay };

  f->settled = NOT_TOLD;
  f->result = NOT_TOLD;
  return amps_amqp_publications_add_copy (f->publications, g_task_new (NULL, NULL, f->callback, f),
                                          f->original, &settlement, otherwise);
}

static guint64
send_copy (Fixture *f, AmpsSettlementKind otherwise)
{
  guint64 id = add_copy (f, otherwise);
  Command *command = g_new0 (Command, 1);

  command->command.free = command_free;
  command->n_freed = &f->n_freed;
  amps_amqp_publications_send_copy (f->publications, id, &command->command);
  return id;
}

static void
assert_ended (Fixture *f, int settled, int result)
{
  iterate ();
  g_assert_cmpint (f->settled, ==, settled);
  g_assert_cmpint (f->result, ==, result);
}

static void
test_publication (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 id = amps_amqp_publications_add (f->publications, g_task_new (NULL, NULL, on_done, f));

  amps_amqp_publications_end (f->publications, id, NULL);
  assert_ended (f, NOT_TOLD, SUCCEEDED);

  /* Whoever waits for one gets an answer in a limited time; a later one is ignored. */
  id = amps_amqp_publications_add (f->publications, g_task_new (NULL, NULL, on_done, f));
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
  amps_amqp_publications_end (f->publications, id, NULL);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
}

static void
test_copy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "no queue");

  amps_amqp_publications_end (f->publications, add_copy (f, AMPS_SETTLE_RETRY), NULL);
  assert_ended (f, AMPS_SETTLE_ACKNOWLEDGE, SUCCEEDED);
  g_assert_cmpint (f->done, ==, AMPS_SETTLED_MOVED);
  amps_amqp_publications_end (f->publications, add_copy (f, AMPS_SETTLE_DEAD_LETTER), problem);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNROUTABLE);

  /* What is given back needs no copy. */
  amps_amqp_publications_end (f->publications, add_copy (f, AMPS_SETTLE_REQUEUE), problem);
  assert_ended (f, AMPS_SETTLE_REQUEUE, SUCCEEDED);
  amps_amqp_publications_end (f->publications, add_copy (f, AMPS_SETTLE_REQUEUE_FAILED), problem);
  assert_ended (f, AMPS_SETTLE_REQUEUE_FAILED, SUCCEEDED);
  g_assert_cmpint (f->done, ==, AMPS_SETTLED_REQUEUED);
}

/* A second copy would be one too many. */
static void
test_copy_that_takes_long (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 id = add_copy (f, AMPS_SETTLE_REQUEUE);

  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  assert_ended (f, NOT_TOLD, NOT_TOLD);
  amps_amqp_publications_end (f->publications, id, NULL);
  assert_ended (f, AMPS_SETTLE_ACKNOWLEDGE, SUCCEEDED);
}

/* There is another way than a retry queue that is broken. */
static void
test_retry_queue_that_is_broken (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "refused");

  amps_amqp_publications_end (f->publications, add_copy (f, AMPS_SETTLE_RETRY), problem);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_NOT_PERMITTED);

  add_copy (f, AMPS_SETTLE_RETRY);
  fake_clock_advance (f->clock, AMPS_SECONDS (59));
  assert_ended (f, NOT_TOLD, NOT_TOLD);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_ended (f, NOT_TOLD, AMPS_ERROR_NOT_PERMITTED);
}

/* Of dead letters somebody is told; one that is confirmed after that is not made again. */
static void
test_dead_letter_queue_that_is_slow (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 first = send_copy (f, AMPS_SETTLE_DEAD_LETTER);

  fake_clock_advance (f->clock, AMPS_SECONDS (59));
  assert_ended (f, NOT_TOLD, NOT_TOLD);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_DEAD_LETTER), ==, 0);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), !=, 0);

  amps_amqp_publications_end (f->publications, first, NULL);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_DEAD_LETTER), ==, 0);
  assert_ended (f, AMPS_SETTLE_ACKNOWLEDGE, SUCCEEDED);
  g_assert_cmpint (f->done, ==, AMPS_SETTLED_MOVED);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_DEAD_LETTER), !=, 0);
  amps_amqp_publications_fail_all (f->publications);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
}

/* No others are sent there after those that are overdue, until the broker has said something. */
static void
test_retry_queue_that_is_slow (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "refused");
  guint64 first = send_copy (f, AMPS_SETTLE_RETRY);
  guint64 second = send_copy (f, AMPS_SETTLE_RETRY);

  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  assert_ended (f, NOT_TOLD, AMPS_ERROR_NOT_PERMITTED);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), ==, 0);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_NOT_PERMITTED);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_REQUEUE_FAILED), !=, 0);
  f->delay = AMPS_SECONDS (30);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), !=, 0);
  f->delay = 0;

  /* Neither settles what has gone another way. */
  f->result = NOT_TOLD;
  amps_amqp_publications_end (f->publications, first, NULL);
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), ==, 0);
  amps_amqp_publications_end (f->publications, second, problem);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_NOT_PERMITTED);
  amps_amqp_publications_end (f->publications, send_copy (f, AMPS_SETTLE_RETRY), NULL);
  assert_ended (f, AMPS_SETTLE_ACKNOWLEDGE, SUCCEEDED);

  amps_amqp_publications_fail_all (f->publications);
  iterate ();
}

/* The broker may never say anything to what is overdue: a new connection has to help. */
static void
test_retry_queue_that_is_gone (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 id = send_copy (f, AMPS_SETTLE_RETRY);

  send_copy (f, AMPS_SETTLE_RETRY);
  send_copy (f, AMPS_SETTLE_RETRY);
  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  fake_clock_advance (f->clock, AMPS_SECONDS (140));
  amps_amqp_publications_end (f->publications, id, NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (149));
  f->delay = AMPS_SECONDS (30);
  amps_amqp_publications_end (f->publications, send_copy (f, AMPS_SETTLE_RETRY), NULL);
  f->delay = 0;
  g_assert_false (amps_amqp_publications_is_ignored (f->publications));
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_true (amps_amqp_publications_is_ignored (f->publications));
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), ==, 0);

  amps_amqp_publications_fail_all (f->publications);
  g_assert_false (amps_amqp_publications_is_ignored (f->publications));
  g_assert_cmpuint (add_copy (f, AMPS_SETTLE_RETRY), !=, 0);
  amps_amqp_publications_fail_all (f->publications);
  iterate ();
}

/* Else what the broker reads of the connection would fill up. */
static void
test_few_retries_at_once (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 ids[202];

  for (unsigned int i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = send_copy (f, AMPS_SETTLE_RETRY);
  g_assert_cmpuint (f->n_sent, ==, 200);
  send_copy (f, AMPS_SETTLE_REQUEUE_FAILED);
  g_assert_cmpuint (f->n_sent, ==, 201);

  amps_amqp_publications_end (f->publications, ids[7], NULL);
  g_assert_cmpuint (f->n_sent, ==, 202);

  /* What has not been sent in time never is, and is owed no answer. */
  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  g_assert_cmpuint (f->n_freed, ==, 203);
  for (unsigned int i = 0; i < G_N_ELEMENTS (ids); i++)
    amps_amqp_publications_end (f->publications, ids[i], NULL);
  g_assert_cmpuint (f->n_sent, ==, 202);
  g_assert_cmpuint (send_copy (f, AMPS_SETTLE_RETRY), !=, 0);
  g_assert_cmpuint (f->n_sent, ==, 203);

  /* Nor is what the connection took along. */
  for (unsigned int i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = send_copy (f, AMPS_SETTLE_RETRY);
  g_assert_cmpuint (f->n_sent, ==, 402);
  amps_amqp_publications_fail_all (f->publications);
  g_assert_cmpuint (f->n_sent, ==, 402);
  iterate ();
}

/* Whoever is told that one failed comes back with another. */
static void
on_done_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  on_copied (source, result, user_data);
  f->n_told++;
  send_copy (f, AMPS_SETTLE_RETRY);
}

static gboolean
fail_all (gpointer user_data)
{
  Fixture *f = user_data;

  amps_amqp_publications_fail_all (f->publications);
  return G_SOURCE_REMOVE;
}

/* In another turn of the main loop than they came from, tasks are told at once. */
static void
test_callers_that_come_back (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->callback = on_done_again;
  for (unsigned int i = 0; i < 300; i++)
    send_copy (f, AMPS_SETTLE_RETRY);
  g_assert_cmpuint (f->n_sent, ==, 200);
  g_assert_cmpuint (f->n_freed, ==, 200);

  g_timeout_add (2, fail_all, f);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->n_told, ==, 300);
  g_assert_cmpuint (f->n_sent, ==, 400);
  g_assert_cmpuint (f->n_freed, ==, 500);

  /* Those that are sent once more end, too. */
  f->callback = on_copied;
  for (unsigned int i = 0; i < 2; i++)
    {
      amps_amqp_publications_fail_all (f->publications);
      iterate ();
    }
}

static void
test_connection_that_breaks (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add_copy (f, AMPS_SETTLE_RETRY);
  amps_amqp_publications_fail_all (f->publications);
  assert_ended (f, NOT_TOLD, AMPS_ERROR_UNAVAILABLE);
}

FIXTURE_TESTS = {
  { "/amqp-publications/publication", test_publication },
  { "/amqp-publications/copy", test_copy },
  { "/amqp-publications/copy-that-takes-long", test_copy_that_takes_long },
  { "/amqp-publications/retry-queue-that-is-broken", test_retry_queue_that_is_broken },
  { "/amqp-publications/dead-letter-queue-that-is-slow", test_dead_letter_queue_that_is_slow },
  { "/amqp-publications/retry-queue-that-is-slow", test_retry_queue_that_is_slow },
  { "/amqp-publications/retry-queue-that-is-gone", test_retry_queue_that_is_gone },
  { "/amqp-publications/few-retries-at-once", test_few_retries_at_once },
  { "/amqp-publications/callers-that-come-back", test_callers_that_come_back },
  { "/amqp-publications/connection-that-breaks", test_connection_that_breaks },
};

FIXTURE_TESTS_MAIN
