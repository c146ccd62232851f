/* SPDX-License-Identifier: MIT */
#include "base/amps-pairs.h"

static void
test_good (void)
{
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
    { "a=1", "a|1" },
    { "a=1,b=2", "a|1|b|2" },
    { " a = 1 , b = 2 ", "a|1|b|2" },
    { "a=", "a|" },
    { "a=1,,b=2,", "a|1|b|2" },
    { ",", "" },
    { "Authorization=Basic%20dTpw", "Authorization|Basic dTpw" },
    { "key=a=b==", "key|a=b==" },
    { "host.name=%C3%A4%2C%25", "host.name|ä,%" },
    { "x=ä", "x|ä" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) pairs = amps_pairs_parse (cases[i].text);
      g_autofree char *joined = pairs != NULL ? g_strjoinv ("|", pairs) : NULL;

      g_test_message ("%s", cases[i].text);
      g_assert_cmpstr (joined, ==, cases[i].expected);
    }
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "a", "=1", "a=1,b", "a b=1", "ä=1", "a:b=1", "a=%", "a=%zz", "a=%0d%0aX: y", "a=%00", "a=%ff",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_null (amps_pairs_parse (bad[i]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pairs/good", test_good);
  g_test_add_func ("/pairs/bad", test_bad);
  return g_test_run ();
}
