/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-declarations.h"

#include "amqp-fixture.h"
#include "base/amps-error.h"

#include <string.h>

#define SECOND G_USEC_PER_SEC

static AmpsAmqpDeclarations *declarations;

static gpointer
start (AmpsAmqpConnection *connection)
{
  amps_amqp_connection_open_channel (connection, AMPS_AMQP_DECLARING_CHANNEL);
  return declarations = amps_amqp_declarations_new (connection);
}

static void
end (gpointer role)
{
  amps_amqp_declarations_free (role);
}

static const AmpsAmqpRole role = { .name = "test", .start = start, .free = end };

static void
set_up (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_fixture_init (f, &role);
  amqp_fixture_open (f);
}

static void
tear_down (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_fixture_clear (f);
}

static unsigned int
count (AmqpFixture *f, const char *line)
{
  g_autofree char *log = amqp_peer_dup_log (f->peer);
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  unsigned int n = 0;

  for (unsigned int i = 0; lines[i] != NULL; i++)
    n += strcmp (lines[i], line) == 0;
  return n;
}

/* Asked for once, and again when it has turned out to be gone. */
static void
test_found (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  for (unsigned int i = 1; i <= 2; i++)
    {
      for (unsigned int j = 0; j < 3; j++)
        {
          amps_amqp_declarations_ensure_retry_queue (declarations, "jobs.retry.1s", SECOND, &error);
          g_assert_no_error (error);
          amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", &error);
          g_assert_no_error (error);
        }

      g_assert_cmpuint (count (f, "2 declare jobs.retry.1s"), ==, i);
      g_assert_cmpuint (count (f, "2 look-at jobs.dead"), ==, i);
      g_assert_cmpuint (count (f, "2 declare jobs.dead"), ==, 0);
      amps_amqp_declarations_forget (declarations, "jobs.retry.1s");
      amps_amqp_declarations_forget (declarations, "jobs.dead");
    }
}

static void
test_made (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  amqp_peer_set_lacks_queues (f->peer, TRUE);
  amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (f, "2 look-at jobs.dead"), ==, 1);
  g_assert_cmpuint (count (f, "2 declare jobs.dead"), ==, 1);
}

/* No connection may do so; the next one is asked again. */
static void
test_refused_retry (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_QUEUE_DECLARE_METHOD, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
  for (unsigned int i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (amps_amqp_declarations_ensure_retry_queue (declarations, "jobs.retry.1s",
                                                                 SECOND, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED);
      g_assert_nonnull (strstr (error->message, "“jobs.retry.1s”"));
      g_assert_nonnull (strstr (error->message, "ACCESS_REFUSED - no"));
    }

  g_assert_cmpuint (count (f, "2 declare jobs.retry.1s"), ==, 1);
  /* Of another one nothing is known. */
  amqp_peer_accept (f->peer, AMQP_QUEUE_DECLARE_METHOD);
  g_assert_true (
      amps_amqp_declarations_ensure_retry_queue (declarations, "jobs.retry.2s", 2 * SECOND, NULL));
}

/* Many share an answer, which does not last: somebody may permit it. */
static void
test_refused_dead_letters (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  gint64 end = g_get_monotonic_time () + 20 * SECOND;

  amqp_peer_set_lacks_queues (f->peer, TRUE);
  amqp_peer_refuse (f->peer, AMQP_QUEUE_DECLARE_METHOD, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
  for (unsigned int i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (
          amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED);
      g_assert_nonnull (strstr (error->message, "“jobs.dead”"));
      g_assert_nonnull (strstr (error->message, "ACCESS_REFUSED - no"));
    }
  g_assert_cmpuint (count (f, "2 declare jobs.dead"), <=, 2);

  amqp_peer_accept (f->peer, AMQP_QUEUE_DECLARE_METHOD);
  while (!amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", NULL))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (10000);
    }
}

/* What may not be looked at is there, whatever else is said of it. */
static void
test_hidden_dead_letters (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_QUEUE_DECLARE_METHOD, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
  g_assert_true (amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", NULL));
  g_assert_cmpuint (count (f, "2 look-at jobs.dead"), ==, 1);
  g_assert_cmpuint (count (f, "2 declare jobs.dead"), ==, 0);
}

static void
test_long_name (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autofree char *name = g_strnfill (256, 'q');
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_amqp_declarations_ensure_retry_queue (declarations, name, SECOND, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED);
  g_assert_nonnull (strstr (error->message, "too long"));
  g_assert_true (amps_amqp_connection_is_running (f->connection));
}

static void
test_lost (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GError) retry = NULL;
  g_autoptr (GError) dead = NULL;

  amqp_peer_hang_up (f->peer);
  amqp_peer_wait_for (f->peer, "0 gone");
  g_assert_false (
      amps_amqp_declarations_ensure_retry_queue (declarations, "jobs.retry.1s", SECOND, &retry));
  g_assert_error (retry, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_false (
      amps_amqp_declarations_ensure_dead_letter_queue (declarations, "jobs.dead", &dead));
  g_assert_error (dead, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  amqp_fixture_assert_fails (f, "could not declare a queue");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test)                                                                            \
  g_test_add ("/amqp-declarations/" name, AmqpFixture, NULL, set_up, test, tear_down)
  ADD ("found", test_found);
  ADD ("made", test_made);
  ADD ("refused-retry", test_refused_retry);
  ADD ("refused-dead-letters", test_refused_dead_letters);
  ADD ("hidden-dead-letters", test_hidden_dead_letters);
  ADD ("long-name", test_long_name);
  ADD ("lost", test_lost);
  return g_test_run ();
}
