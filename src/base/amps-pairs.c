/* SPDX-License-Identifier: MIT */
#include "amps-pairs.h"

#include <string.h>

/* RFC 9110, section 5.6.2: a token. */
static gboolean
pairs_is_name (const char *text)
{
  if (*text == '\0')
    return FALSE;

  for (; *text != '\0'; text++)
    {
      if (!g_ascii_isalnum (*text) && strchr ("!#$%&'*+-.^_`|~", *text) == NULL)
        return FALSE;
    }

  return TRUE;
}

/* It may become a line of HTTP. Returns: (transfer full) (nullable): what @text stands for */
static char *
pairs_decode (const char *text)
{
  g_autofree char *value = g_uri_unescape_string (text, NULL);

  if (value == NULL || !g_utf8_validate (value, -1, NULL))
    return NULL;

  for (const char *at = value; *at != '\0'; at = g_utf8_next_char (at))
    {
      if (g_unichar_iscntrl (g_utf8_get_char (at)))
        return NULL;
    }

  return g_steal_pointer (&value);
}

static gboolean
add_pair (GStrvBuilder *pairs, char *item)
{
  char *equals = strchr (item, '=');
  g_autofree char *value = NULL;

  if (equals == NULL)
    return FALSE;

  *equals = '\0';
  value = pairs_decode (g_strstrip (equals + 1));
  if (value == NULL || !pairs_is_name (g_strstrip (item)))
    return FALSE;

  g_strv_builder_add (pairs, item);
  g_strv_builder_add (pairs, value);
  return TRUE;
}

/**
 * amps_pairs_parse:
 * @text: `name=value,other=value`, with percent-encoded values, as of W3C Baggage,
 *   section 3.3, without properties
 *
 * Blanks around names and values are left out, and so are items that are empty.
 *
 * Returns: (transfer full) (nullable): a name, its value, the next name and so on, all of
 *   which could be headers of HTTP; %NULL if @text is something else
 */
char **
amps_pairs_parse (const char *text)
{
  g_autoptr (GStrvBuilder) pairs = g_strv_builder_new ();
  g_auto (GStrv) items = g_strsplit (text, ",", -1);

  for (char **item = items; *item != NULL; item++)
    {
      if (*g_strstrip (*item) != '\0' && !add_pair (pairs, *item))
        return NULL;
    }

  return g_strv_builder_end (pairs);
}
