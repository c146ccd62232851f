/* SPDX-License-Identifier: MIT */
#include "config/amps-dotenv.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The variables of a file, written down in quotes, are the same again. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char **
read_back (const void *data, gsize size, GPtrArray *problems)
{
  int fd = memfd_create ("dotenv", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  char **variables;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, size);
  variables = amps_dotenv_read (path, problems);
  close (fd);
  return variables;
}

static void
append_quoted (GString *text, const char *value)
{
  static const char special[] = "\n\r\t\"\\";
  static const char letters[] = "nrt\"\\";

  g_string_append_c (text, '"');
  for (; *value != '\0'; value++)
    {
      const char *at = strchr (special, *value);

      if (at != NULL)
        g_string_append_c (text, '\\');
      g_string_append_c (text, at != NULL ? letters[at - special] : *value);
    }
  g_string_append_c (text, '"');
}

static void
append_variable (GString *text, const char *variable)
{
  const char *equals = strchr (variable, '=');

  g_assert_nonnull (equals);
  g_assert_cmpint (equals - variable, >, 0);
  g_assert_cmpint (strspn (variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                     "0123456789"),
                   ==, equals - variable);
  g_string_append (text, "export ");
  g_string_append_len (text, variable, equals + 1 - variable);
  append_quoted (text, equals + 1);
  g_string_append (text, " # a comment\n");
}

static unsigned int
count_lines (const guint8 *data, gsize size)
{
  unsigned int n_lines = 1;

  for (gsize i = 0; i < size; i++)
    n_lines += data[i] == '\n';
  return n_lines;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) variables = read_back (data, size, problems);
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) again = NULL;

  g_assert_cmpuint (g_strv_length (variables) + problems->len, <=, count_lines (data, size));
  for (char **variable = variables; *variable != NULL; variable++)
    append_variable (text, *variable);

  g_ptr_array_set_size (problems, 0);
  again = read_back (text->str, text->len, problems);
  g_assert_cmpuint (problems->len, ==, 0);
  g_assert_true (g_strv_equal ((const char *const *) variables, (const char *const *) again));
  return 0;
}
