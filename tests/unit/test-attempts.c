/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "delivery/amps-attempts.h"
#include "make-job.h"

static AmpsConfig *
create_config (const char *setting)
{
  static const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", "RETRY_MIN_BACKOFF=10ms", setting,
                                      NULL };
  g_autoptr (GError) error = NULL;
  AmpsConfig *config = amps_config_new (environment, NULL, none, &error);

  g_assert_no_error (error);
  return config;
}

static void
test_used_up (void)
{
  g_autoptr (AmpsConfig) unlimited = create_config ("MAX_ATTEMPTS=0");
  g_autoptr (AmpsConfig) two = create_config ("MAX_ATTEMPTS=2");
  g_autoptr (AmpsConfig) one = create_config ("MAX_ATTEMPTS=1");
  g_autoptr (AmpsJob) first = make_job ("a", "a", 0);

  g_assert_false (amps_attempts_are_used_up (unlimited, first));
  g_assert_false (amps_attempts_are_used_up (two, first));
  g_assert_true (amps_attempts_are_used_up (one, first));
}

static void
test_delay (void)
{
  g_autoptr (AmpsConfig) config = create_config ("RETRY_MAX_BACKOFF=20ms");
  g_autoptr (AmpsConfig) patient = create_config ("RETRY_MAX_BACKOFF=2h");
  g_autoptr (AmpsJob) job = make_job ("a", "a", 0);

  g_assert_cmpint (amps_attempts_draw_delay (config, job, -1), <=, AMPS_MILLISECONDS (20));
  g_assert_cmpint (amps_attempts_draw_delay (config, job, AMPS_SECONDS (7)), ==, AMPS_SECONDS (7));

  /* What is asked for is bounded. */
  g_assert_cmpint (amps_attempts_draw_delay (config, job, AMPS_SECONDS (7200)), ==,
                   AMPS_SECONDS (3600));
  g_assert_cmpint (amps_attempts_draw_delay (patient, job, AMPS_SECONDS (7000)), ==,
                   AMPS_SECONDS (7000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attempts/used-up", test_used_up);
  g_test_add_func ("/attempts/delay", test_delay);
  return g_test_run ();
}
