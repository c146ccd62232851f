/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-dotenv.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define BLANKS " \t"

static gboolean
dotenv_is_name (const char *text)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

  return *text != '\0' && !g_ascii_isdigit (*text) && text[strspn (text, allowed)] == '\0';
}

static char
unescape (char escaped)
{
  static const char letters[] = "nrt";
  static const char meanings[] = "\n\r\t";
  const char *letter = strchr (letters, escaped);

  return letter != NULL ? meanings[letter - letters] : escaped;
}

/* Behind the opening @quote; NULL if it does not close, or more follows. */
static char *
dotenv_unquote (const char *at, char quote)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (; *at != quote; at++)
    {
      gboolean escaped = quote == '"' && *at == '\\' && at[1] != '\0';

      if (*at == '\0')
        return NULL;
      if (escaped)
        at++;
      g_string_append_c (value, escaped ? unescape (*at) : *at);
    }

  at += 1 + strspn (at + 1, BLANKS);
  if (*at != '\0' && *at != '#')
    return NULL;
  return g_string_free (g_steal_pointer (&value), FALSE);
}

/* @at is behind the equals sign. A # begins a comment only behind a blank. */
static char *
dotenv_read_value (const char *at)
{
  const char *value = at + strspn (at, BLANKS);
  const char *end = value;

  if (*value == '"' || *value == '\'')
    return dotenv_unquote (value + 1, *value);

  while (*end != '\0' && !(*end == '#' && end > at && strchr (BLANKS, end[-1]) != NULL))
    end++;
  return g_strchomp (g_strndup (value, (gsize) (end - value)));
}

static gboolean
dotenv_read_line (char *line, GStrvBuilder *variables)
{
  char *at = g_strstrip (line);
  g_autofree char *value = NULL;
  g_autofree char *variable = NULL;
  char *equals;

  if (*at == '\0' || *at == '#')
    return TRUE;

  if (g_str_has_prefix (at, "export") && strchr (BLANKS, at[6]) != NULL)
    at = g_strchug (at + strlen ("export"));

  equals = strchr (at, '=');
  if (equals == NULL)
    return FALSE;

  value = dotenv_read_value (equals + 1);
  *equals = '\0';
  g_strchomp (at);
  if (value == NULL || !dotenv_is_name (at))
    return FALSE;

  variable = g_strconcat (at, "=", value, NULL);
  g_strv_builder_add (variables, variable);
  return TRUE;
}

static gboolean
dotenv_read_text (const char *path, char **text, GPtrArray *problems)
{
  g_autoptr (GError) error = NULL;
  gsize length;

  if (g_file_get_contents (path, text, &length, &error))
    {
      if (strlen (*text) == length)
        return TRUE;
      g_ptr_array_add (problems, g_strdup_printf (_ ("%s: must be UTF-8 text"), path));
    }
  else if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_ptr_array_add (problems, g_strdup_printf ("%s: %s", path, error->message));
    }

  return FALSE;
}

/**
 * amps_dotenv_read:
 * @path: (nullable): a `.env` file; it need not exist
 * @problems: (element-type utf8): gets a line for each that makes no sense
 *
 * Reads lines like `NAME=value`, `export NAME="value"` and comments. Nothing is
 * expanded. Blocks: to be called at start.
 *
 * Returns: (transfer full): `NAME=value` as g_get_environ() has it
 */
char **
amps_dotenv_read (const char *path, GPtrArray *problems)
{
  g_autoptr (GStrvBuilder) variables = g_strv_builder_new ();
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (path == NULL || !dotenv_read_text (path, &text, problems))
    return g_strv_builder_end (variables);

  lines = g_strsplit (text, "\n", -1);
  for (unsigned int i = 0; lines[i] != NULL; i++)
    {
      /* The line itself may be a secret. */
      if (!dotenv_read_line (lines[i], variables))
        g_ptr_array_add (problems,
                         g_strdup_printf (_ ("%s: line %u must be like NAME=value"), path, i + 1));
    }

  return g_strv_builder_end (variables);
}
