/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <stdlib.h>

/* Stands in for a fuzzing engine: feeds a target each file of the folders that
 * it is given, so that the corpus is a test anywhere. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static unsigned int
feed_folder (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) files = g_dir_open (folder, 0, &error);
  unsigned int count = 0;
  const char *name;

  g_assert_no_error (error);
  for (; (name = g_dir_read_name (files)) != NULL; count++)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *bytes = NULL;
      g_autofree guint8 *exact = NULL;
      gsize length;

      g_file_get_contents (path, &bytes, &length, &error);
      g_assert_no_error (error);
      /* No NUL behind it, so that reading too far is seen. */
      exact = g_memdup2 (bytes, length);
      LLVMFuzzerTestOneInput (exact, length);
    }

  return count;
}

int
main (int argc, char **argv)
{
  unsigned int count = 0;

  for (int i = 1; i < argc; i++)
    count += feed_folder (argv[i]);

  g_print ("%u inputs\n", count);
  return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
