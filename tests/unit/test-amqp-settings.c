/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-settings.h"

#include "base/amps-clock.h"

#define MIB (1024 * 1024)

/* @more: (nullable): another setting */
static AmpsAmqpSettings *
make (AmpsAmqpSettings *(*make_from) (AmpsConfig *config), const char *more)
{
  static const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", "WORKER_ID=me", "QUEUE_DECLARE=auto",
                                      "JOB_TIMEOUT=30s",     more,           NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = amps_config_new (environment, NULL, none, &error);

  g_assert_no_error (error);
  return make_from (config);
}

static void
test_subject (void)
{
  AmpsAmqpSettings *settings = make (amps_amqp_settings_new, "MAX_BODY_SIZE=2MiB");

  g_assert_cmpstr (settings->subject, ==, "jobs");
  g_assert_cmpstr (settings->worker_id, ==, "me");
  g_assert_cmpstr (settings->dead_letter_queue, ==, "jobs.dead");
  g_assert_true (settings->declares);
  g_assert_true (settings->quorum);
  g_assert_cmpuint (settings->max_body_size, ==, 2 * MIB);
  /* What is too large for the workload is a dead letter, whole. */
  g_assert_cmpuint (settings->max_kept_size, ==, 128 * MIB);
  g_assert_cmpint (settings->job_timeout, ==, AMPS_SECONDS (30));
  g_assert_cmpuint (amps_byte_budget_get_limit (settings->budget), >, settings->max_body_size);
  amps_amqp_settings_free (settings);
}

/* Nobody keeps what the broker is to reject. */
static void
test_no_copies (void)
{
  AmpsAmqpSettings *settings = make (amps_amqp_settings_new, "DEAD_LETTER_MODE=broker");

  g_assert_null (settings->dead_letter_queue);
  g_assert_cmpuint (settings->max_kept_size, ==, settings->max_body_size);
  amps_amqp_settings_free (settings);
}

/* Letters are read as they are, from a queue that is not made for it. */
static void
test_dead_letters (void)
{
  AmpsAmqpSettings *settings =
      make (amps_amqp_settings_new_for_dead_letters, "EVENT_VALIDATION=strict");

  g_assert_cmpstr (settings->subject, ==, "jobs.dead");
  g_assert_cmpstr (settings->worker_id, ==, "me dead letters");
  g_assert_false (settings->declares);
  g_assert_cmpint (settings->event_validation, ==, AMPS_EVENT_VALIDATION_LENIENT);
  /* That is for as long as one is looked at, not for a job. */
  g_assert_cmpint (settings->job_timeout, ==, AMPS_SECONDS (600));
  amps_amqp_settings_free (settings);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-settings/subject", test_subject);
  g_test_add_func ("/amqp-settings/no-copies", test_no_copies);
  g_test_add_func ("/amqp-settings/dead-letters", test_dead_letters);
  return g_test_run ();
}
