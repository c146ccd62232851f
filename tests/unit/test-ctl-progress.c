/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-progress.h"
#include "ctl/amps-ctl-text.h"

static void
assert_line (guint64 done, guint64 total, unsigned int width, const char *expected)
{
  g_autofree char *line =
      amps_ctl_progress_format ("Doing", done, total, 2 * G_USEC_PER_SEC, width);

  g_assert_cmpstr (line, ==, expected);
}

static void
test_bar (void)
{
  assert_line (0, 100, 80, "Doing [----------------------------------------] 0/100   0% 0/s");
  assert_line (50, 100, 80, "Doing [####################--------------------] 50/100  50% 25/s");
  assert_line (100, 100, 80, "Doing [########################################] 100/100 100% 50/s");
  /* More than there was at the beginning. */
  assert_line (200, 100, 80, "Doing [########################################] 200/100 100% 100/s");
}

static void
test_no_total (void)
{
  assert_line (50, 0, 80, "Doing 50 25/s");
}

/* Never as wide as the terminal, where the cursor would go to the next line. */
static void
test_narrow (void)
{
  assert_line (50, 100, 38, "Doing [######------] 50/100  50% 25/s");
  assert_line (50, 100, 30, "Doing 50/100  50% 25/s");
  assert_line (50, 100, 12, "Doing 50/1…");

  for (unsigned int width = 2; width < 100; width++)
    {
      g_autofree char *line =
          amps_ctl_progress_format ("Doing", 12345, 1000000, G_USEC_PER_SEC, width);

      g_assert_cmpuint (amps_ctl_text_get_width (line), <, width);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-progress/bar", test_bar);
  g_test_add_func ("/ctl-progress/no-total", test_no_total);
  g_test_add_func ("/ctl-progress/narrow", test_narrow);
  return g_test_run ();
}
