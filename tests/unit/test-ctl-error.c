/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "ctl/amps-ctl-error.h"

#include <gio/gio.h>

static void
assert_status (GQuark domain, int code, int expected)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, "why");

  g_assert_cmpint (amps_ctl_error_get_exit_status (error), ==, expected);
}

/* The table of docs/reference/ampsctl.md */
static void
test_statuses (void)
{
  assert_status (AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE, 64);
  assert_status (AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED, 1);
  assert_status (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, 65);
  assert_status (AMPS_ERROR, AMPS_ERROR_TOO_LARGE, 65);
  assert_status (AMPS_ERROR, AMPS_ERROR_UNAUTHORIZED, 77);
  assert_status (AMPS_ERROR, AMPS_ERROR_FORBIDDEN, 77);
  assert_status (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, 75);
  assert_status (AMPS_ERROR, AMPS_ERROR_EXHAUSTED, 75);
  assert_status (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, 1);
  assert_status (AMPS_ERROR, AMPS_ERROR_CONFLICT, 1);
  assert_status (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl-error/statuses", test_statuses);
  return g_test_run ();
}
