/* SPDX-License-Identifier: MIT */
#include "sentry/amps-sentry-limits.h"

#include "base/amps-clock.h"

#define EVENT AMPS_LOG_EVENT_JOB_REJECTED
#define OTHER AMPS_LOG_EVENT_BROKER_FAILED
#define BURST 5
#define NOW AMPS_SECONDS (1000)

static unsigned int
admit_all (AmpsSentryLimits *limits, AmpsLogEvent event, unsigned int n, gint64 now)
{
  unsigned int n_admitted = 0, n_silenced;

  for (unsigned int i = 0; i < n; i++)
    n_admitted += amps_sentry_limits_admit (limits, event, now, &n_silenced);
  return n_admitted;
}

/* A few at once, then one a minute, and what was left out is told then. */
static void
test_own (void)
{
  g_autoptr (AmpsSentryLimits) limits = amps_sentry_limits_new ();
  unsigned int n_silenced;

  g_assert_cmpuint (admit_all (limits, EVENT, 100, NOW), ==, BURST);
  g_assert_cmpuint (admit_all (limits, OTHER, 100, NOW), ==, BURST);
  g_assert_cmpuint (admit_all (limits, EVENT, 1, NOW + AMPS_SECONDS (59)), ==, 0);
  g_assert_true (amps_sentry_limits_admit (limits, EVENT, NOW + AMPS_SECONDS (60), &n_silenced));
  g_assert_cmpuint (n_silenced, ==, 100 - BURST + 1);
  g_assert_cmpuint (admit_all (limits, EVENT, 10, NOW + AMPS_SECONDS (119)), ==, 0);
  g_assert_cmpuint (admit_all (limits, EVENT, 10, NOW + AMPS_SECONDS (240)), ==, 3);
  g_assert_cmpuint (admit_all (limits, EVENT, 10, NOW + AMPS_SECONDS (100000)), ==, BURST);
}

static void
test_first_is_not_silenced (void)
{
  g_autoptr (AmpsSentryLimits) limits = amps_sentry_limits_new ();
  unsigned int n_silenced = 7;

  g_assert_true (amps_sentry_limits_admit (limits, EVENT, NOW, &n_silenced));
  g_assert_cmpuint (n_silenced, ==, 0);
}

static void
test_answers (void)
{
  static const struct {
    unsigned int status;
    const char *retry_after;
    const char *rate_limits;
    gint64 seconds; /* 0 when reports go on */
  } cases[] = {
    { 200, NULL, NULL, 0 },
    { 400, NULL, NULL, 0 },
    { 503, "100", NULL, 0 },
    { 429, "100", NULL, 100 },
    { 429, NULL, NULL, 60 },
    { 429, "Wed, 21 Oct 2026 07:28:00 GMT", NULL, 60 },
    { 429, "99999999999", NULL, 24 * 60 * 60 },
    /* Sentry's own header says more, whatever the status is. */
    { 429, "100", "7::organization", 7 },
    { 200, NULL, "30:error:project:reason", 30 },
    { 200, NULL, "30:default;error;transaction:organization", 30 },
    { 200, NULL, "30:transaction:organization, 20:error:key", 20 },
    { 200, NULL, "10::organization, 20::organization", 20 },
    { 200, NULL, "soon::organization", 60 },
    { 429, "100", "30:transaction;session:organization", 0 },
    { 200, NULL, "30", 0 },
    { 200, NULL, ",:,::", 60 },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsSentryLimits) limits = amps_sentry_limits_new ();
      gint64 end = NOW + AMPS_SECONDS (cases[i].seconds);

      g_test_message ("%u %s %s", cases[i].status, cases[i].retry_after, cases[i].rate_limits);
      g_assert_false (amps_sentry_limits_is_closed (limits, NOW));
      amps_sentry_limits_note_answer (limits, cases[i].status, cases[i].retry_after,
                                      cases[i].rate_limits, NOW);
      g_assert_cmpint (amps_sentry_limits_is_closed (limits, NOW), ==, cases[i].seconds > 0);
      g_assert_false (amps_sentry_limits_is_closed (limits, end));
      if (cases[i].seconds > 0)
        g_assert_true (amps_sentry_limits_is_closed (limits, end - 1));
    }
}

/* A shorter limit does not end a longer one. */
static void
test_longest (void)
{
  g_autoptr (AmpsSentryLimits) limits = amps_sentry_limits_new ();

  amps_sentry_limits_note_answer (limits, 429, "100", NULL, NOW);
  amps_sentry_limits_note_answer (limits, 429, "1", NULL, NOW);
  g_assert_true (amps_sentry_limits_is_closed (limits, NOW + AMPS_SECONDS (99)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sentry-limits/own", test_own);
  g_test_add_func ("/sentry-limits/first-is-not-silenced", test_first_is_not_silenced);
  g_test_add_func ("/sentry-limits/answers", test_answers);
  g_test_add_func ("/sentry-limits/longest", test_longest);
  return g_test_run ();
}
