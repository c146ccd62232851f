/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-headers.h"

#include "broker/amqp/amps-amqp-table.h"

static void
test_headers (void)
{
  static const struct {
    const char *name;
    gboolean misread;
    gboolean earlier;
  } cases[] = {
    { "CC", TRUE, FALSE },
    { "BCC", TRUE, FALSE },
    { "x-delivery-count", TRUE, FALSE },
    { "x-acquired-count", TRUE, FALSE },
    { "x-death", FALSE, TRUE },
    { "x-first-death-queue", FALSE, TRUE },
    { "x-last-death-reason", FALSE, TRUE },
    { "x-amps-attempt", FALSE, TRUE },
    /* Whoever sent the message means something by these. */
    { "cc", FALSE, FALSE },
    { "x-deaths", FALSE, FALSE },
    { "x-amps", FALSE, FALSE },
    { "x-first-death", FALSE, FALSE },
    { "my-x-amps-attempt", FALSE, FALSE },
    { "", FALSE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      amqp_table_entry_t entry = amps_amqp_table_make_text (cases[i].name, "x");

      g_test_message ("%s", cases[i].name);
      g_assert_cmpint (amps_amqp_headers_are_misread (&entry), ==, cases[i].misread);
      g_assert_cmpint (amps_amqp_headers_are_of_earlier_life (&entry), ==, cases[i].earlier);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-headers/headers", test_headers);
  return g_test_run ();
}
