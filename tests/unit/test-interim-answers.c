/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "workload/amps-interim-answers.h"

#include <string.h>

static void
test_flood (void)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  g_autoptr (GError) error = NULL;
  AmpsInterimAnswers interim = { 0 };

  for (unsigned int i = 0; i < 16; i++)
    g_assert_true (amps_interim_answers_add (&interim, clock, &error));
  fake_clock_skip (clock, AMPS_SECONDS (1) - 1);
  g_assert_false (amps_interim_answers_add (&interim, clock, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "16 interim answers"));
}

/* One in 20 seconds was what WebDAV recommended, RFC 2518, section 10.1. */
static void
test_signs_of_life (void)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  g_autoptr (GError) error = NULL;
  AmpsInterimAnswers interim = { 0 };

  for (unsigned int second = 0; second < 1000; second++)
    {
      for (unsigned int i = 0; i < 16; i++)
        g_assert_true (amps_interim_answers_add (&interim, clock, &error));
      fake_clock_skip (clock, AMPS_SECONDS (1));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interim-answers/flood", test_flood);
  g_test_add_func ("/interim-answers/signs-of-life", test_signs_of_life);
  return g_test_run ();
}
