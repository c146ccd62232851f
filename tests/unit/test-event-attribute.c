/* SPDX-License-Identifier: MIT */
#include "event/amps-event-attribute.h"

#include <string.h>

#define MAX_LENGTH 44

static void
test_members (void)
{
  for (unsigned int i = 0; i < AMPS_EVENT_EXTENSION; i++)
    {
      const char *name = amps_event_member_get_name ((AmpsEventMember) i);

      g_assert_cmpint (amps_event_member_find (name, strlen (name)), ==, i);
      g_assert_cmpint (amps_event_member_find (name, strlen (name) - 1), ==, AMPS_EVENT_EXTENSION);
    }
  g_assert_cmpint (amps_event_member_find ("ID", 2), ==, AMPS_EVENT_EXTENSION);
  g_assert_cmpint (amps_event_member_find ("", 0), ==, AMPS_EVENT_EXTENSION);
}

/* CloudEvents 1.0.2, section 3.1 */
static void
test_names (void)
{
  const char *const good[] = { "a", "comexample0", "0" };
  const char *const bad[] = { "", "A", "a_b", "a-b", "a b", "\xc3\xa4" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_null (amps_event_attribute_find_name_problem (good[i], strlen (good[i])));
  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_nonnull (amps_event_attribute_find_name_problem (bad[i], strlen (bad[i])));
}

static void
test_versions (void)
{
  g_assert_true (amps_event_attribute_is_accepted_version ("1.0"));
  g_assert_true (amps_event_attribute_is_accepted_version ("1.1"));
  g_assert_true (amps_event_attribute_is_accepted_version ("0.3"));
  g_assert_false (amps_event_attribute_is_accepted_version ("0.2"));
  g_assert_false (amps_event_attribute_is_accepted_version ("2.0"));
  g_assert_false (amps_event_attribute_is_accepted_version ("1."));
  g_assert_false (amps_event_attribute_is_accepted_version (""));
}

static void
test_tracestate (void)
{
  g_autofree char *longest = g_strnfill (512, 'a');
  g_autofree char *longer = g_strnfill (513, 'a');

  g_assert_true (amps_event_attribute_is_tracestate ("a=b,c=d"));
  g_assert_true (amps_event_attribute_is_tracestate (longest));
  g_assert_false (amps_event_attribute_is_tracestate (longer));
  g_assert_false (amps_event_attribute_is_tracestate ("a=\xc3\xa4"));
  g_assert_false (amps_event_attribute_is_tracestate ("a=b\r\nX: y"));
}

static gboolean
is_base64 (const char *text, gsize length)
{
  AmpsJsonValue value = { .kind = AMPS_JSON_STRING, .start = text, .end = text + length };

  return amps_event_attribute_is_base64 (&value);
}

/* The text is looked at 16 bytes at a time, then one: each byte at each place of such a block,
 * against what a byte alone means. The last two places may also be filled up. */
static void
test_base64_at_every_place (void)
{
  for (gsize length = 4; length <= MAX_LENGTH; length += 4)
    for (gsize place = 0; place < length - 2; place++)
      for (unsigned int byte = 0; byte < 256; byte++)
        {
          char text[MAX_LENGTH];
          gboolean digit = g_ascii_isalnum ((char) byte) || byte == '+' || byte == '/';

          memset (text, 'A', sizeof text);
          text[place] = (char) byte;
          g_assert_cmpint (is_base64 (text, length), ==, digit);
        }
}

static void
test_base64_is_filled_up (void)
{
  for (gsize length = 0; length <= MAX_LENGTH; length++)
    {
      char text[MAX_LENGTH];

      memset (text, 'A', sizeof text);
      g_assert_cmpint (is_base64 (text, length), ==, length % 4 == 0);
      for (gsize n = 1; n <= MIN (length, 3); n++)
        {
          text[length - n] = '=';
          g_assert_cmpint (is_base64 (text, length), ==, length % 4 == 0 && n <= 2);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event-attribute/members", test_members);
  g_test_add_func ("/event-attribute/names", test_names);
  g_test_add_func ("/event-attribute/versions", test_versions);
  g_test_add_func ("/event-attribute/tracestate", test_tracestate);
  g_test_add_func ("/event-attribute/base64-at-every-place", test_base64_at_every_place);
  g_test_add_func ("/event-attribute/base64-is-filled-up", test_base64_is_filled_up);
  return g_test_run ();
}
