/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-depths.h"

#include "base/amps-error.h"
#include "fake-clock.h"
#include "metrics/amps-queue-depths.h"

#include <string.h>

#define N_RETRY_QUEUES 9

typedef struct {
  AmpsClock *clock;
  AmpsAmqpSettings settings;
  AmpsAmqpDepths *depths;
  unsigned int n_sent;
  unsigned int n_ended;
  char *counts;  /* (owned) (nullable) of the last one that ended */
  GError *error; /* (owned) (nullable) */
} Fixture;

static void
on_send (AmpsAmqpCommand *command, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_sent++;
  command->free (command);
}

static void
set_up (Fixture *f, gconstpointer dead_letter_queue)
{
  f->clock = fake_clock_new ();
  f->settings.subject = (char *) "mail";
  f->settings.dead_letter_queue = (char *) dead_letter_queue;
  f->depths = amps_amqp_depths_new (&f->settings, f->clock, on_send, f);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_depths_free (f->depths);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_free (f->counts);
  g_clear_error (&f->error);
  g_assert_finalize_object (f->clock);
}

static void
on_counted (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (AmpsQueueDepths) depths = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  f->n_ended++;
  g_clear_error (&f->error);
  depths = g_task_propagate_pointer (G_TASK (result), &f->error);
  if (depths == NULL)
    return;

  amps_queue_depths_append (depths, text);
  g_free (f->counts);
  f->counts = g_strdup (strstr (text->str, "amps_queue_messages{"));
}

static void
begin (Fixture *f, const char *problem)
{
  f->n_sent = 0;
  amps_amqp_depths_begin (f->depths, g_task_new (NULL, NULL, on_counted, f), problem);
}

/* Answers all that is asked by a number that is -1 for no queue. */
static void
answer_all (Fixture *f, const gint64 *answers, unsigned int n_answers)
{
  for (unsigned int i = 0; i < n_answers; i++)
    {
      g_assert_cmpuint (f->n_sent, ==, i + 1);
      amps_amqp_depths_take (f->depths, answers[i]);
    }
  g_assert_cmpuint (f->n_sent, ==, n_answers);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_all (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 answers[] = { 5, 2, 1, 1, 1, 1, 1, 1, 1, 1, 20 };

  begin (f, NULL);
  answer_all (f, answers, G_N_ELEMENTS (answers));
  g_assert_cmpuint (f->n_ended, ==, 1);
  g_assert_cmpstr (f->counts, ==,
                   "amps_queue_messages{queue=\"mail\"} 5\n"
                   "amps_queue_messages{queue=\"mail.dead\"} 2\n"
                   "amps_queue_messages{queue=\"mail.retry\"} 28\n");
}

static void
test_without_dead_letters (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 answers[1 + N_RETRY_QUEUES] = { 5 };

  begin (f, NULL);
  answer_all (f, answers, G_N_ELEMENTS (answers));
  g_assert_cmpstr (f->counts, ==,
                   "amps_queue_messages{queue=\"mail\"} 5\n"
                   "amps_queue_messages{queue=\"mail.retry\"} 0\n");
}

/* A broker logs each look at what does not exist. */
static void
test_missing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 first[] = { 5, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
  static const gint64 only_subject[] = { 6 };
  static const gint64 dead_letter[] = { 7, 1 };
  static const gint64 retry[] = { 8, 2, 4 };
  static const gint64 hour_later[] = { 9, 3, 5, -1, -1, -1, -1, -1, -1, -1, -1 };
  AmpsSettlement dead = { .kind = AMPS_SETTLE_DEAD_LETTER };
  AmpsSettlement later = { .kind = AMPS_SETTLE_RETRY, .delay = AMPS_SECONDS (7) };
  AmpsSettlement release = { .kind = AMPS_SETTLE_REQUEUE };

  begin (f, NULL);
  answer_all (f, first, G_N_ELEMENTS (first));
  g_assert_cmpstr (f->counts, ==,
                   "amps_queue_messages{queue=\"mail\"} 5\n"
                   "amps_queue_messages{queue=\"mail.dead\"} 0\n"
                   "amps_queue_messages{queue=\"mail.retry\"} 0\n");

  amps_amqp_depths_expect (f->depths, &release);
  begin (f, NULL);
  answer_all (f, only_subject, G_N_ELEMENTS (only_subject));

  amps_amqp_depths_expect (f->depths, &dead);
  begin (f, NULL);
  answer_all (f, dead_letter, G_N_ELEMENTS (dead_letter));

  amps_amqp_depths_expect (f->depths, &later);
  begin (f, NULL);
  answer_all (f, retry, G_N_ELEMENTS (retry));
  g_assert_cmpstr (f->counts, ==,
                   "amps_queue_messages{queue=\"mail\"} 8\n"
                   "amps_queue_messages{queue=\"mail.dead\"} 2\n"
                   "amps_queue_messages{queue=\"mail.retry\"} 4\n");

  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  begin (f, NULL);
  answer_all (f, hour_later, G_N_ELEMENTS (hour_later));
}

static void
test_problem (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  begin (f, "the broker is blocked");
  answer_all (f, NULL, 0);
  g_assert_cmpuint (f->n_ended, ==, 1);
  g_assert_error (f->error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpstr (f->error->message, ==, "the broker is blocked");
}

/* The next connection may be to a broker that has other queues. */
static void
test_lost_connection (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 answers[2 + N_RETRY_QUEUES] = { 0 };

  begin (f, NULL);
  amps_amqp_depths_take (f->depths, 1);
  amps_amqp_depths_take (f->depths, -1);
  amps_amqp_depths_fail (f->depths);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_ended, ==, 1);
  g_assert_error (f->error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);

  begin (f, NULL);
  answer_all (f, answers, G_N_ELEMENTS (answers));
  g_assert_no_error (f->error);
}

static void
test_only_one (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  begin (f, NULL);
  begin (f, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_sent, ==, 0);
  g_assert_cmpuint (f->n_ended, ==, 1);
  g_assert_error (f->error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
}

/* Its name is what the sum is called. */
static void
test_same_name (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 answers[2 + N_RETRY_QUEUES] = { 1, 2, 3 };

  begin (f, NULL);
  answer_all (f, answers, G_N_ELEMENTS (answers));
  g_assert_cmpstr (f->counts, ==,
                   "amps_queue_messages{queue=\"mail\"} 1\n"
                   "amps_queue_messages{queue=\"mail.retry\"} 5\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, dead, test)                                                                      \
  g_test_add ("/amqp-depths/" name, Fixture, dead, set_up, test, tear_down)
  ADD ("all", "mail.dead", test_all);
  ADD ("without-dead-letters", NULL, test_without_dead_letters);
  ADD ("missing", "mail.dead", test_missing);
  ADD ("problem", "mail.dead", test_problem);
  ADD ("lost-connection", "mail.dead", test_lost_connection);
  ADD ("only-one", "mail.dead", test_only_one);
  ADD ("same-name", "mail.retry", test_same_name);
  return g_test_run ();
}
