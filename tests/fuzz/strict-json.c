/* SPDX-License-Identifier: MIT */
#include "strict-json.h"

#include <jansson.h>
#include <string.h>

/* In a file of its own, since Jansson and json-glib both have a json_object_iter_next(). */

/* Of a text that is known to be JSON. */
unsigned int
get_json_depth (const char *json, gsize size)
{
  unsigned int depth = 0, deepest = 0;
  gboolean in_string = FALSE;

  for (const char *at = json; at < json + size; at++)
    {
      if (*at == '"')
        in_string = !in_string;
      else if (in_string)
        at += *at == '\\' ? 1 : 0;
      else if (*at == '{' || *at == '[')
        depth++;
      else if (*at == '}' || *at == ']')
        depth--;

      deepest = MAX (deepest, depth);
    }

  return deepest;
}

/* Jansson is strict too: it takes what @accepted says, but for the limits of both. */
void
assert_strict_json (const char *json, gsize size, unsigned int max_depth, gboolean accepted)
{
  /* Jansson overlooks one behind a number; it is JSON nowhere. */
  if (size > 0 && memchr (json, '\0', size) != NULL)
    {
      g_assert_false (accepted);
      return;
    }

  json_error_t error;
  json_t *root = json_loadb (json, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

  if (root != NULL)
    {
      g_assert_cmpint (get_json_depth (json, size) <= max_depth, ==, accepted);
      json_decref (root);
      return;
    }

  if (json_error_code (&error) != json_error_numeric_overflow &&
      json_error_code (&error) != json_error_null_byte_in_key)
    g_assert_false (accepted);
}
