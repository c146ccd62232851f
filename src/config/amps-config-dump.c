/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-parse.h"
#include "amps-config-private.h"

#include <string.h>

/* The width to which what is set by default is packed. */
#define WIDTH 66

/**
 * amps_config_foreach:
 * @self: the settings
 * @func: (scope call): called for each variable that has a value
 * @user_data: passed to @func
 *
 * Shows what was set in the end, with `***` for secrets.
 */
void
amps_config_foreach (AmpsConfig *self,
                     void (*func) (const char *name, const char *redacted, gpointer user_data),
                     gpointer user_data)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_autofree char *redacted = NULL;

      if (amps_config_get_text (self, i) == NULL)
        continue;
      redacted = amps_variable_redact (&amps_variables[i], amps_config_get_text (self, i));
      func (amps_variables[i].name, redacted, user_data);
    }
}

static void
config_dump_append_line (const char *name, const char *redacted, gpointer user_data)
{
  g_string_append_printf (user_data, "%s=%s\n", name, redacted);
}

/**
 * amps_config_to_string:
 * @self: the settings
 *
 * Returns: (transfer full): a line for each variable, with `***` for secrets
 */
char *
amps_config_to_string (AmpsConfig *self)
{
  GString *text = g_string_new (NULL);

  amps_config_foreach (self, config_dump_append_line, text);
  return g_string_free (text, FALSE);
}

typedef struct {
  GString *own;      /* a line for each that is not as the manual says */
  GString *defaults; /* those that are, several to a line */
  gsize line;        /* where the last line of @defaults begins */
} Summary;

static gboolean
is_default (const char *name, const char *value)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      if (g_str_equal (amps_variables[i].name, name))
        return g_strcmp0 (amps_variables[i].fallback, value) == 0;
    }

  return FALSE;
}

static void
summarise (const char *name, const char *redacted, gpointer user_data)
{
  Summary *summary = user_data;
  g_autofree char *setting = g_strconcat (name, "=", redacted, NULL);

  if (!is_default (name, redacted))
    {
      g_string_append_printf (summary->own, "\n  %s", setting);
      return;
    }

  if (summary->defaults->len == 0 ||
      summary->defaults->len + 1 + strlen (setting) - summary->line > WIDTH)
    {
      g_string_append (summary->defaults, "\n ");
      summary->line = summary->defaults->len;
    }
  g_string_append_printf (summary->defaults, " %s", setting);
}

/**
 * amps_config_summarise:
 * @self: the settings
 *
 * Returns: (transfer full): the settings for a person, with `***` for secrets: a
 *   line for each that differs from its default, then the rest
 */
char *
amps_config_summarise (AmpsConfig *self)
{
  g_autoptr (GString) own = g_string_new (NULL);
  g_autoptr (GString) defaults = g_string_new (NULL);
  Summary summary = { .own = own, .defaults = defaults };

  amps_config_foreach (self, summarise, &summary);
  return g_strconcat (own->str, "\nand these defaults:", defaults->str, NULL);
}
