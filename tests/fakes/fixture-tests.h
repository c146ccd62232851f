/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Tests that share a `Fixture`, `set_up` and `tear_down`; each may have data for all three:
 *
 *   FIXTURE_TESTS = {
 *     { "/path", test_function },
 *     { "/path-with-data", test_function, &data },
 *   };
 *   FIXTURE_TESTS_MAIN
 */
#define FIXTURE_TESTS                                                                              \
  static const struct {                                                                            \
    const char *path;                                                                              \
    void (*test) (Fixture * f, gconstpointer data);                                                \
    gconstpointer data;                                                                            \
  } tests[]

#define FIXTURE_TESTS_MAIN                                                                         \
  int main (int argc, char **argv)                                                                 \
  {                                                                                                \
    g_test_init (&argc, &argv, NULL);                                                              \
    for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)                                        \
      g_test_add (tests[i].path, Fixture, tests[i].data, set_up, tests[i].test, tear_down);        \
    return g_test_run ();                                                                          \
  }
