/* SPDX-License-Identifier: MIT */
#include "config/amps-dotenv.h"

#include <glib/gstdio.h>

typedef struct {
  char *folder;
  char *path;
  GPtrArray *problems;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("amps-dotenv-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, ".env", NULL);
  fixture->problems = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_remove (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
  g_ptr_array_unref (fixture->problems);
}

static char **
read_text (Fixture *fixture, const char *text, gssize length)
{
  g_ptr_array_set_size (fixture->problems, 0);
  g_assert_true (g_file_set_contents (fixture->path, text, length, NULL));
  return amps_dotenv_read (fixture->path, fixture->problems);
}

static void
test_good_lines (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const cases[][2] = {
    { "A=b", "A=b" },
    { "  A = b c  ", "A=b c" },
    { "A=", "A=" },
    { "A=b\r", "A=b" },
    { "export A=b", "A=b" },
    { "export\t A=b", "A=b" },
    { "exporter=b", "exporter=b" },
    { "A=b # why", "A=b" },
    { "A=b\t# why", "A=b" },
    { "A=b#c", "A=b#c" },
    { "A= # why", "A=" },
    { "A=#b", "A=#b" },
    { "A=b=c", "A=b=c" },
    { "A=\"b # c\" # why", "A=b # c" },
    { "A=\"b \\\"c\\\"\\t\\n\\r\\\\ \\$d\"", "A=b \"c\"\t\n\r\\ $d" },
    { "A='b\\n \"c\"'", "A=b\\n \"c\"" },
    { "A=\"\"", "A=" },
    { "A=$B ${C}", "A=$B ${C}" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) variables = read_text (fixture, cases[i][0], -1);

      g_test_message ("%s", cases[i][0]);
      g_assert_cmpuint (fixture->problems->len, ==, 0);
      g_assert_cmpstr (variables[0], ==, cases[i][1]);
      g_assert_null (variables[1]);
    }
}

static void
test_bad_lines (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const bad[] = {
    "A",         "=b",     "1A=b",    "A B=c",  "A=\"b", "A='b",
    "A=\"b\" c", "A='b'c", "A=\"b\\", "export", "A-B=c",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdup_printf ("# first\n\n%s\nLAST=1\n", bad[i]);
      g_autofree char *problem =
          g_strdup_printf ("%s: line 3 must be like NAME=value", fixture->path);
      g_auto (GStrv) variables = read_text (fixture, text, -1);

      g_test_message ("%s", bad[i]);
      g_assert_cmpuint (fixture->problems->len, ==, 1);
      g_assert_cmpstr (fixture->problems->pdata[0], ==, problem);
      g_assert_cmpstr (variables[0], ==, "LAST=1");
      g_assert_null (variables[1]);
    }
}

static void
test_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_auto (GStrv) none = amps_dotenv_read (NULL, fixture->problems);
  g_auto (GStrv) missing = amps_dotenv_read (fixture->path, fixture->problems);
  g_auto (GStrv) folder = NULL;
  g_auto (GStrv) binary = NULL;

  g_assert_null (none[0]);
  g_assert_null (missing[0]);
  g_assert_cmpuint (fixture->problems->len, ==, 0);

  folder = amps_dotenv_read (fixture->folder, fixture->problems);
  g_assert_null (folder[0]);
  g_assert_cmpuint (fixture->problems->len, ==, 1);

  binary = read_text (fixture, "A=b\0C=d", 7);
  g_assert_null (binary[0]);
  g_assert_cmpuint (fixture->problems->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/dotenv/good-lines", Fixture, NULL, set_up, test_good_lines, tear_down);
  g_test_add ("/dotenv/bad-lines", Fixture, NULL, set_up, test_bad_lines, tear_down);
  g_test_add ("/dotenv/files", Fixture, NULL, set_up, test_files, tear_down);
  return g_test_run ();
}
