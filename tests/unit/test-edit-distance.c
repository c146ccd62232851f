/* SPDX-License-Identifier: MIT */
#include "base/amps-edit-distance.h"

#include <string.h>

static unsigned int
measure (const char *a, const char *b)
{
  unsigned int distance = amps_edit_distance (a, strlen (a), b, strlen (b));

  g_assert_cmpuint (distance, ==, amps_edit_distance (b, strlen (b), a, strlen (a)));
  return distance;
}

static void
test_faults (void)
{
  g_assert_cmpuint (measure ("status", "status"), ==, 0);
  g_assert_cmpuint (measure ("status", "statos"), ==, 1);
  g_assert_cmpuint (measure ("status", "statuss"), ==, 1);
  g_assert_cmpuint (measure ("status", "statsu"), ==, 1);
  g_assert_cmpuint (measure ("status", "stauts"), ==, 1);
  g_assert_cmpuint (measure ("status", "tatus"), ==, 1);
  g_assert_cmpuint (measure ("pause", "purge"), ==, 3);
  g_assert_cmpuint (measure ("", "jobs"), ==, 4);
  g_assert_cmpuint (measure ("", ""), ==, 0);
}

static void
test_longest (void)
{
  g_autofree char *longest = g_strnfill (AMPS_EDIT_DISTANCE_MAX_LENGTH, 'a');

  g_assert_cmpuint (measure (longest, "b"), ==, AMPS_EDIT_DISTANCE_MAX_LENGTH);
  g_assert_cmpuint (measure (longest, longest), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/edit-distance/faults", test_faults);
  g_test_add_func ("/edit-distance/longest", test_longest);
  return g_test_run ();
}
