/* SPDX-License-Identifier: MIT */
#include "amps-json-members.h"

#include <string.h>

/* Returns: which of them is called @name, or @n_members */
static unsigned int
find_member (const AmpsJsonValue *name, const char *const *names, unsigned int n_members)
{
  g_autofree char *unescaped = name->escaped ? amps_json_value_unescape (name) : NULL;
  const char *text = unescaped != NULL ? unescaped : name->start;
  gsize length = unescaped != NULL ? strlen (unescaped) : (gsize) (name->end - name->start);
  unsigned int i = 0;

  while (i < n_members && (strlen (names[i]) != length || memcmp (names[i], text, length) != 0))
    i++;
  return i;
}

/**
 * amps_json_members_read:
 * @scanner: a scanner that stands before an object
 * @depth: how many brackets are open already
 * @names: (array length=n_members): members to look for
 * @values: (array length=n_members) (out caller-allocates): what they are; one that is
 *   missing is null and has no start
 * @n_members: how many
 *
 * Reads an object. None of @names may be there twice: of such members some readers take
 * the first and some the last (RFC 8259, section 4). Others are ignored.
 *
 * Returns: whether there was an object, whole and right; if not, @scanner knows why
 */
gboolean
amps_json_members_read (AmpsJsonScanner *scanner, unsigned int depth, const char *const *names,
                        AmpsJsonValue *values, unsigned int n_members)
{
  AmpsJsonValue name, value;

  for (unsigned int i = 0; i < n_members; i++)
    values[i] = (AmpsJsonValue){ .kind = AMPS_JSON_NULL };

  if (!amps_json_scanner_enter (scanner, '{'))
    return FALSE;

  for (gboolean first = TRUE; amps_json_scanner_next_item (scanner, '{', first); first = FALSE)
    {
      unsigned int member;

      if (!amps_json_scanner_read_name (scanner, &name) ||
          !amps_json_scanner_read_value (scanner, depth + 1, &value))
        return FALSE;

      member = find_member (&name, names, n_members);
      if (member == n_members)
        continue;
      if (values[member].start != NULL)
        {
          scanner->problem = "a member that is there twice";
          return FALSE;
        }
      values[member] = value;
    }

  return scanner->problem == NULL;
}
