/* SPDX-License-Identifier: MIT */
#include "amps-dotenv.h"

#include "core/amps-error.h"

#include <string.h>

static gboolean
is_name (const char *text)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

  return *text != '\0' && !g_ascii_isdigit (*text) && text[strspn (text, allowed)] == '\0';
}

/* Behind the opening @quote; NULL if it does not close, or more follows. */
static char *
unquote (const char *at, char quote)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (; *at != quote; at++)
    {
      if (*at == '\0')
        return NULL;

      if (quote == '"' && *at == '\\' && at[1] != '\0')
        {
          at++;
          g_string_append_c (value, (char) (*at == 'n' ? '\n' : *at == 't' ? '\t' : *at));
        }
      else
        {
          g_string_append_c (value, *at);
        }
    }

  at += 1 + strspn (at + 1, " \t");
  if (*at != '\0' && *at != '#')
    return NULL;
  return g_string_free (g_steal_pointer (&value), FALSE);
}

static char *
read_value (char *at)
{
  char *comment;

  if (*at == '"' || *at == '\'')
    return unquote (at + 1, *at);

  comment = strstr (at, " #");
  if (comment != NULL)
    *comment = '\0';
  return g_strdup (g_strstrip (at));
}

static gboolean
read_line (char *line, GStrvBuilder *variables)
{
  char *at = g_strstrip (line);
  g_autofree char *value = NULL;
  g_autofree char *variable = NULL;
  char *equals;

  if (*at == '\0' || *at == '#')
    return TRUE;

  if (g_str_has_prefix (at, "export "))
    at += strlen ("export ") + strspn (at + strlen ("export "), " ");

  equals = strchr (at, '=');
  if (equals == NULL)
    return FALSE;

  value = read_value (equals + 1 + strspn (equals + 1, " \t"));
  *equals = '\0';
  g_strchomp (at);
  if (value == NULL || !is_name (at))
    return FALSE;

  variable = g_strconcat (at, "=", value, NULL);
  g_strv_builder_add (variables, variable);
  return TRUE;
}

/**
 * amps_dotenv_read:
 * @path: (nullable): a `.env` file; it need not exist
 * @error: return location
 *
 * Reads lines like `NAME=value`, `export NAME="value"` and comments. Nothing is
 * expanded. Blocks: to be called at start.
 *
 * Returns: (transfer full): `NAME=value` as g_get_environ() has it; empty on error
 */
char **
amps_dotenv_read (const char *path, GError **error)
{
  g_autoptr (GStrvBuilder) variables = g_strv_builder_new ();
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS) ||
      !g_file_get_contents (path, &text, NULL, error))
    return g_strv_builder_end (variables);

  lines = g_strsplit (text, "\n", -1);
  for (unsigned int i = 0; lines[i] != NULL; i++)
    {
      /* The line itself may be a secret. */
      if (!read_line (lines[i], variables))
        {
          g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                       "%s: line %u is not like NAME=value", path, i + 1);
          break;
        }
    }

  return g_strv_builder_end (variables);
}
