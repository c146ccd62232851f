/* SPDX-License-Identifier: MIT */
#include "event/amps-json-members.h"

#include <string.h>

static const char *const names[] = { "a", "b", "c" };

static gboolean
read_members (const char *json, AmpsJsonScanner *scanner, AmpsJsonValue *values)
{
  amps_json_scanner_init (scanner, json, strlen (json));
  return amps_json_members_read (scanner, 0, names, values, G_N_ELEMENTS (names)) &&
         amps_json_scanner_finish (scanner);
}

static void
test_members (void)
{
  AmpsJsonScanner scanner;
  AmpsJsonValue values[G_N_ELEMENTS (names)];

  g_assert_true (read_members ("{\"other\":{\"a\":1},\"\\u0062\":\"x\",\"c\":null,\"other\":2,"
                               "\"a\\u0000\":3,\"\":4}",
                               &scanner, values));
  g_assert_null (values[0].start);
  g_assert_cmpint (values[0].kind, ==, AMPS_JSON_NULL);
  g_assert_cmpint (values[1].kind, ==, AMPS_JSON_STRING);
  g_assert_cmpmem (values[1].start, (gsize) (values[1].end - values[1].start), "x", 1);
  g_assert_nonnull (values[2].start);
  g_assert_cmpint (values[2].kind, ==, AMPS_JSON_NULL);
}

/* Even if one of them is null, or escaped. */
static void
test_twice (void)
{
  static const char *const objects[] = {
    "{\"a\":1,\"a\":1}",
    "{\"a\":null,\"a\":1}",
    "{\"a\":1,\"a\":null}",
    "{\"b\":[],\"c\":{},\"\\u0062\":[]}",
  };
  AmpsJsonScanner scanner;
  AmpsJsonValue values[G_N_ELEMENTS (names)];

  for (unsigned int i = 0; i < G_N_ELEMENTS (objects); i++)
    {
      g_assert_false (read_members (objects[i], &scanner, values));
      g_assert_cmpstr (scanner.problem, ==, "a member that is there twice");
    }
}

static void
test_no_object (void)
{
  static const char *const texts[] = {
    "", "[]", "\"a\"", "{", "{\"a\":1", "{\"a\"}", "{\"a\":1}}"
  };
  AmpsJsonScanner scanner;
  AmpsJsonValue values[G_N_ELEMENTS (names)];

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_test_message ("%s", texts[i]);
      g_assert_false (read_members (texts[i], &scanner, values));
      g_assert_nonnull (scanner.problem);
    }
}

/* So deep that its value has one bracket too many. */
static void
test_depth (void)
{
  const char *json = "{\"a\":[[]]}";
  AmpsJsonScanner scanner;
  AmpsJsonValue values[G_N_ELEMENTS (names)];

  amps_json_scanner_init (&scanner, json, strlen (json));
  g_assert_true (amps_json_members_read (&scanner, AMPS_JSON_MAX_DEPTH - 3, names, values,
                                         G_N_ELEMENTS (names)));
  amps_json_scanner_init (&scanner, json, strlen (json));
  g_assert_false (amps_json_members_read (&scanner, AMPS_JSON_MAX_DEPTH - 2, names, values,
                                          G_N_ELEMENTS (names)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-members/members", test_members);
  g_test_add_func ("/json-members/twice", test_twice);
  g_test_add_func ("/json-members/no-object", test_no_object);
  g_test_add_func ("/json-members/depth", test_depth);
  return g_test_run ();
}
