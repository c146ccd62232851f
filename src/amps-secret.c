/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-secret.h"

#include "core/amps-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/**
 * amps_secret_read:
 * @path: a file that holds a secret, as of NAME_FILE
 * @text: (out) (transfer full): the line in it, without its end
 * @error: return location
 *
 * Returns: whether there is such a line
 */
gboolean
amps_secret_read (const char *path, char **text, GError **error)
{
  g_autofree char *content = NULL;
  gsize length;

  if (!g_file_get_contents (path, &content, &length, error))
    return FALSE;

  while (length > 0 && (content[length - 1] == '\n' || content[length - 1] == '\r'))
    content[--length] = '\0';

  /* An empty one is an accident, and would take the protection away. */
  if (length == 0 || strlen (content) != length)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           _ ("the file must hold a line of text"));
      return FALSE;
    }

  *text = g_steal_pointer (&content);
  return TRUE;
}
