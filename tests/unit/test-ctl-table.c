/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-table.h"
#include "ctl/amps-ctl-text.h"

#include <string.h>

static const AmpsCtlColumn columns[] = {
  { "ID", FALSE, TRUE },
  { "COUNT", TRUE, FALSE },
  { "DETAIL", FALSE, TRUE },
};

static char *
format (unsigned int width)
{
  static const char *const cells[] = { "first",        "7", "something that is rather long",
                                       "the second\n", "1", "" };
  g_autoptr (AmpsCtlTable) table = amps_ctl_table_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (AmpsCtlOutput) output = amps_ctl_output_new (FALSE, TRUE);
  GString *lines = g_string_new (NULL);

  for (unsigned int i = 0; i < G_N_ELEMENTS (cells); i++)
    amps_ctl_table_add (table, AMPS_CTL_STYLE_GOOD, cells[i]);
  amps_ctl_table_append_to (table, lines, output, width);
  return g_string_free (lines, FALSE);
}

static void
test_unlimited (void)
{
  g_autofree char *text = format (0);

  g_assert_cmpstr (text, ==,
                   "ID                COUNT  DETAIL\n"
                   "first                 7  something that is rather long\n"
                   "the second\\u000a      1\n");
}

/* What may be cut is, the widest first; at last nothing is left to be cut. */
static void
test_narrow (void)
{
  g_autofree char *text = format (30);

  g_assert_cmpstr (text, ==,
                   "ID          COUNT  DETAIL\n"
                   "first           7  something …\n"
                   "the secon…      1\n");

  for (unsigned int width = 16; width < 80; width++)
    {
      g_autofree char *narrow = format (width);
      g_auto (GStrv) lines = g_strsplit (narrow, "\n", -1);

      for (char **line = lines; *line != NULL; line++)
        g_assert_cmpuint (amps_ctl_text_get_width (*line), <=, width);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-table/unlimited", test_unlimited);
  g_test_add_func ("/ctl-table/narrow", test_narrow);
  return g_test_run ();
}
