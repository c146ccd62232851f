/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-commands.h"

#include "amps-ctl-error.h"
#include "amps-ctl-text.h"
#include "base/amps-edit-distance.h"

#include <glib/gi18n.h>
#include <string.h>

/* More, and it is another word. */
#define MAX_FAULTS 2

const AmpsCtlCommand *const amps_ctl_commands[] = {
  &amps_ctl_status_command,     &amps_ctl_healthcheck_command, &amps_ctl_jobs_command,
  &amps_ctl_top_command,        &amps_ctl_acknowledge_command, &amps_ctl_reject_command,
  &amps_ctl_heartbeat_command,  &amps_ctl_publish_command,     &amps_ctl_pause_command,
  &amps_ctl_resume_command,     &amps_ctl_drain_command,       &amps_ctl_concurrency_command,
  &amps_ctl_dead_list_command,  &amps_ctl_dead_show_command,   &amps_ctl_dead_redrive_command,
  &amps_ctl_dead_purge_command, &amps_ctl_help_command,        NULL,
};

/**
 * amps_ctl_commands_find:
 * @name: a command's name
 *
 * Returns: (transfer none) (nullable): the command
 */
const AmpsCtlCommand *
amps_ctl_commands_find (const char *name)
{
  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      if (g_str_equal (amps_ctl_commands[i]->name, name))
        return amps_ctl_commands[i];
    }

  return NULL;
}

/**
 * amps_ctl_commands_is_family:
 * @word: a word
 *
 * Returns: whether it is the first word of commands that have two
 */
gboolean
amps_ctl_commands_is_family (const char *word)
{
  gsize length = strlen (word);

  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const char *name = amps_ctl_commands[i]->name;

      if (strncmp (name, word, length) == 0 && name[length] == ' ')
        return TRUE;
    }

  return FALSE;
}

/* Returns: (nullable): the command that was likely meant */
static const char *
ctl_commands_guess (const char *name)
{
  const char *best = NULL;
  unsigned int least = MAX_FAULTS + 1;

  if (strlen (name) > AMPS_EDIT_DISTANCE_MAX_LENGTH)
    return NULL;

  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const char *known = amps_ctl_commands[i]->name;
      unsigned int faults = amps_edit_distance (name, strlen (name), known, strlen (known));

      if (strlen (name) >= 2 && g_str_has_prefix (known, name))
        faults = 1;
      if (faults < least)
        {
          best = known;
          least = faults;
        }
    }

  return best;
}

/**
 * amps_ctl_commands_set_unknown:
 * @name: what is not a command
 * @error: return location: %AMPS_CTL_ERROR_USAGE, with what was likely meant
 */
void
amps_ctl_commands_set_unknown (const char *name, GError **error)
{
  g_autofree char *shown = amps_ctl_text_clean (name);
  const char *likely = ctl_commands_guess (name);

  if (likely != NULL)
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                 _ ("“%s” is not a command; did you mean “%s”?"), shown, likely);
  else
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                 _ ("“%s” is not a command; see “ampsctl help”"), shown);
}
