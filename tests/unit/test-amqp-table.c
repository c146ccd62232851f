/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-table.h"

#include <string.h>

static void
assert_text (const amqp_field_value_t *value, const char *text)
{
  g_assert_nonnull (value);
  g_assert_cmpint (value->kind, ==, AMQP_FIELD_KIND_UTF8);
  g_assert_cmpmem (value->value.bytes.bytes, value->value.bytes.len, text, strlen (text));
}

static void
test_find (void)
{
  amqp_table_entry_t entries[] = {
    amps_amqp_table_make_text ("name", "first"),
    amps_amqp_table_make_text ("name", "second"),
    amps_amqp_table_make_text ("names", "third"),
  };
  const amqp_table_t table = { G_N_ELEMENTS (entries), entries };

  assert_text (amps_amqp_table_find (&table, "name"), "first");
  assert_text (amps_amqp_table_find (&table, "names"), "third");
  g_assert_null (amps_amqp_table_find (&table, "nam"));
  g_assert_null (amps_amqp_table_find (&table, "Name"));
  g_assert_null (amps_amqp_table_find (&table, ""));
}

/* What stands there without the flag means nothing. */
static void
test_headers (void)
{
  amqp_table_entry_t entry = amps_amqp_table_make_text ("name", "text");
  amqp_basic_properties_t properties = { .headers = { 1, &entry } };

  g_assert_null (amps_amqp_table_find (amps_amqp_table_get_headers (&properties), "name"));
  properties._flags = AMQP_BASIC_HEADERS_FLAG;
  assert_text (amps_amqp_table_find (amps_amqp_table_get_headers (&properties), "name"), "text");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-table/find", test_find);
  g_test_add_func ("/amqp-table/headers", test_headers);
  return g_test_run ();
}
