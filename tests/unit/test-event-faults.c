/* SPDX-License-Identifier: MIT */
#include "event/amps-event-faults.h"

#include <string.h>

static void
test_keeps_the_first_of_each_kind (void)
{
  g_autoptr (AmpsEventFaults) faults = NULL;

  g_assert_null (amps_event_faults_get_example (faults, AMPS_EVENT_FAULT_NAME));
  amps_event_faults_add (&faults, AMPS_EVENT_FAULT_NAME, "oneTwo", 3);
  amps_event_faults_add (&faults, AMPS_EVENT_FAULT_NAME, "two", 3);
  amps_event_faults_add (&faults, AMPS_EVENT_FAULT_TWICE, "three", 5);
  g_assert_cmpstr (amps_event_faults_get_example (faults, AMPS_EVENT_FAULT_NAME), ==, "one");
  g_assert_cmpstr (amps_event_faults_get_example (faults, AMPS_EVENT_FAULT_TWICE), ==, "three");
  g_assert_null (amps_event_faults_get_example (faults, AMPS_EVENT_FAULT_BOTH));
}

/* Each has its words. */
static void
test_words (void)
{
  for (unsigned int i = 0; i < AMPS_N_EVENT_FAULTS; i++)
    {
      for (unsigned int j = 0; j < i; j++)
        g_assert_cmpstr (amps_event_fault_to_string (i), !=, amps_event_fault_to_string (j));
      g_assert_cmpuint (strlen (amps_event_fault_to_string (i)), >, 10);
    }
}

static void
test_readable_names (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "correlationId", "correlationId" },
    { "a\n\x1b[1m\xe2\x80\xae", "a??[1m?" },
    { "0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789" },
    { "012345678901234567890123456789012345678ää", "012345678901234567890123456789012345678…" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *readable = amps_event_name_to_readable (cases[i][0], strlen (cases[i][0]));

      g_assert_cmpstr (readable, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event-faults/keeps-the-first-of-each-kind", test_keeps_the_first_of_each_kind);
  g_test_add_func ("/event-faults/words", test_words);
  g_test_add_func ("/event-faults/readable-names", test_readable_names);
  return g_test_run ();
}
