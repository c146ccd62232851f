/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-json.h"

static JsonObject *
get_object (JsonNode *node)
{
  return json_node_get_object (node);
}

static void
test_members (void)
{
  g_autoptr (JsonNode) node = json_from_string ("{\"text\":\"t\",\"number\":5,\"object\":{\"a\":1},"
                                                "\"array\":[],\"null\":null,\"yes\":true}",
                                                NULL);
  JsonObject *object = get_object (node);
  const char *const names[] = { "text", "number", "object", "array", "null", "yes", "none" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_test_message ("%s", names[i]);
      g_assert_cmpstr (amps_ctl_json_get_text (object, names[i]), ==, i == 0 ? "t" : NULL);
      g_assert_cmpint (amps_ctl_json_get_number (object, names[i], -1), ==, i == 1 ? 5 : -1);
      g_assert_true ((amps_ctl_json_get_object (object, names[i]) != NULL) == (i == 2));
      g_assert_cmpint (amps_ctl_json_get_time (object, names[i]), ==, 0);
    }

  g_assert_null (amps_ctl_json_get_text (NULL, "text"));
  g_assert_cmpint (amps_ctl_json_get_number (NULL, "number", -1), ==, -1);
  g_assert_null (amps_ctl_json_get_object (NULL, "object"));
}

static void
test_time (void)
{
  g_autoptr (JsonNode) node = json_from_string (
      "{\"utc\":\"1970-01-01T00:00:01.500Z\",\"zone\":\"1970-01-01T01:00:01+01:00\"}", NULL);

  g_assert_cmpint (amps_ctl_json_get_time (get_object (node), "utc"), ==, 1500000);
  g_assert_cmpint (amps_ctl_json_get_time (get_object (node), "zone"), ==, 1000000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-json/members", test_members);
  g_test_add_func ("/ctl-json/time", test_time);
  return g_test_run ();
}
