/* SPDX-License-Identifier: MIT */
#include "amps-ctl-text.h"

#include "base/amps-foreign-text.h"

#include <string.h>

#define CUT_MARK "…"

/* What moves the cursor, ends the line or turns the order of what follows around. */
static gboolean
is_harmful (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_UNASSIGNED:
      return TRUE;

    /* Everything else has a place in a line. */
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_SPACING_MARK:
    case G_UNICODE_ENCLOSING_MARK:
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
    case G_UNICODE_CONNECT_PUNCTUATION:
    case G_UNICODE_DASH_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_OTHER_PUNCTUATION:
    case G_UNICODE_OPEN_PUNCTUATION:
    case G_UNICODE_CURRENCY_SYMBOL:
    case G_UNICODE_MODIFIER_SYMBOL:
    case G_UNICODE_MATH_SYMBOL:
    case G_UNICODE_OTHER_SYMBOL:
    case G_UNICODE_SPACE_SEPARATOR:
    default:
      return FALSE;
    }
}

/**
 * amps_ctl_text_clean:
 * @text: whatever somebody else wrote
 *
 * Returns: (transfer full): one line of UTF-8 that does nothing to a terminal but stand there:
 *   what would is shown as JSON writes it
 */
char *
amps_ctl_text_clean (const char *text)
{
  g_autofree char *bounded = amps_foreign_text_dup (text, -1);
  GString *clean = g_string_sized_new (strlen (bounded));

  for (const char *p = bounded; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (is_harmful (c))
        g_string_append_printf (clean, "\\u%04x", c);
      else
        g_string_append_unichar (clean, c);
    }

  return g_string_free (clean, FALSE);
}

static unsigned int
get_char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

/**
 * amps_ctl_text_get_width:
 * @text: a clean text
 *
 * Returns: how many columns of a terminal it takes
 */
unsigned int
amps_ctl_text_get_width (const char *text)
{
  unsigned int width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    width += get_char_width (g_utf8_get_char (p));
  return width;
}

/* Returns: the bytes of @text that fit into @width, and in @taken how much of it they take */
static gsize
ctl_text_measure (const char *text, unsigned int width, unsigned int *taken)
{
  const char *p = text;

  *taken = 0;
  for (; *p != '\0'; p = g_utf8_next_char (p))
    {
      unsigned int more = get_char_width (g_utf8_get_char (p));

      if (*taken + more > width)
        break;
      *taken += more;
    }

  return (gsize) (p - text);
}

static void
append_spaces (GString *line, unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    g_string_append_c (line, ' ');
}

/**
 * amps_ctl_text_append:
 * @line: gets the text
 * @text: a clean text
 * @width: how many columns it is to take: it is filled up, or cut and ends in “…”
 * @right: whether it stands at the right edge
 */
void
amps_ctl_text_append (GString *line, const char *text, unsigned int width, gboolean right)
{
  unsigned int taken;
  gsize length = ctl_text_measure (text, width, &taken);
  gboolean cut = text[length] != '\0' && width > 0;

  if (cut)
    {
      length = ctl_text_measure (text, width - 1, &taken);
      taken += 1;
    }

  append_spaces (line, right ? width - taken : 0);
  g_string_append_len (line, text, (gssize) length);
  g_string_append (line, cut ? CUT_MARK : "");
  append_spaces (line, right ? 0 : width - taken);
}

/**
 * amps_ctl_text_append_wrapped:
 * @lines: gets the lines, the last one with its end; its last line is @indent columns long
 * @text: a clean text
 * @indent: where each further line begins
 * @width: how many columns there are
 */
void
amps_ctl_text_append_wrapped (GString *lines, const char *text, unsigned int indent,
                              unsigned int width)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  unsigned int column = indent;

  for (char **word = words; *word != NULL; word++)
    {
      unsigned int taken = amps_ctl_text_get_width (*word);

      if (column > indent && column + 1 + taken > width)
        {
          g_string_append_c (lines, '\n');
          append_spaces (lines, indent);
          column = indent;
        }
      else if (word != words)
        {
          g_string_append_c (lines, ' ');
          column++;
        }
      g_string_append (lines, *word);
      column += taken;
    }

  g_string_append_c (lines, '\n');
}
