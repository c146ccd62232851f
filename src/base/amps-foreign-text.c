/* SPDX-License-Identifier: MIT */
#include "amps-foreign-text.h"

#include <string.h>

#define CUT_MARK "…"

/* Lines and columns may stay: JSON and the log escape them, and a stack trace has them. */
static void
append_visible (GString *readable, gunichar c)
{
  if (g_unichar_iscntrl (c) && c != '\n' && c != '\t')
    g_string_append_printf (readable, "\\u%04x", c);
  else
    g_string_append_unichar (readable, c);
}

/**
 * amps_foreign_text_dup:
 * @text: (array length=length): what a library, the broker, the workload, the system or
 *   a client says
 * @length: its bytes; -1 up to the first NUL
 *
 * Whatever others say passes through here before it becomes part of an error, of a
 * state or of a detail: those are shown in JSON, which must be UTF-8 (RFC 8259, section
 * 8.1), and in terminals. Bytes that are not UTF-8 are replaced, control characters are
 * shown as JSON writes them, and a long text is cut and ends in “…”.
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): UTF-8 of at most %AMPS_FOREIGN_TEXT_MAX bytes
 */
char *
amps_foreign_text_dup (const char *text, gssize length)
{
  gsize given = length < 0 ? strlen (text) : (gsize) length;
  /* A longer text is not looked through. */
  g_autofree char *valid =
      g_utf8_make_valid (text, (gssize) MIN (given, AMPS_FOREIGN_TEXT_MAX + 1));
  GString *readable = g_string_sized_new (strlen (valid));
  gsize fits = 0;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      append_visible (readable, g_utf8_get_char (p));
      if (readable->len > AMPS_FOREIGN_TEXT_MAX)
        {
          g_string_truncate (readable, fits);
          g_string_append (readable, CUT_MARK);
          break;
        }
      if (readable->len <= AMPS_FOREIGN_TEXT_MAX - strlen (CUT_MARK))
        fits = readable->len;
    }

  return g_string_free (readable, FALSE);
}
