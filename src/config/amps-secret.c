/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-secret.h"

#include "base/amps-error.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Without the path, which by mistake may be the secret. */
static gboolean
fail_to_read (const char *path, GError **error)
{
  int reason = g_access (path, R_OK) != 0 ? errno : 0;

  if (reason != 0)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, _ ("the file can't be read: %s"),
                 g_strerror (reason));
  else
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                         _ ("must be a file that can be read"));
  return FALSE;
}

/**
 * amps_secret_read:
 * @path: a file that holds a secret, as of NAME_FILE
 * @text: (out) (transfer full): the line in it, without its end
 * @error: return location: what is wrong, without showing @path or @text
 *
 * Returns: whether there is such a line
 */
gboolean
amps_secret_read (const char *path, char **text, GError **error)
{
  g_autofree char *content = NULL;
  gsize length;

  if (!g_file_get_contents (path, &content, &length, NULL))
    return fail_to_read (path, error);

  while (length > 0 && (content[length - 1] == '\n' || content[length - 1] == '\r'))
    content[--length] = '\0';

  /* An empty one is an accident, and would take the protection away. */
  if (length == 0 || strlen (content) != length)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           _ ("the file must contain one line of text"));
      return FALSE;
    }

  *text = g_steal_pointer (&content);
  return TRUE;
}
