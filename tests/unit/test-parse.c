/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-parse.h"

#define MINUTE (G_GINT64_CONSTANT (60) * G_USEC_PER_SEC)

static void
test_durations (void)
{
  const struct {
    const char *text;
    gint64 microseconds;
  } good[] = {
    { "0", 0 },
    { "0s", 0 },
    { "1h", 60 * MINUTE },
    { "1m30s", 90000000 },
    { "500ms", 500000 },
    { "1.5h", 90 * MINUTE },
    { ".5s", 500000 },
    { "250us", 250 },
    { "3µs", 3 },
    { "2000ns", 2 },
    { "1h0m1s", 60 * MINUTE + G_USEC_PER_SEC },
    { "+5s", 5 * G_USEC_PER_SEC },
    { "1ns", 1 },
    { "2562047h", G_GINT64_CONSTANT (2562047) * 60 * MINUTE },
  };
  const char *const bad[] = {
    "",     "1",    "-1s", "1 s", "s",    "1s1",       "1.2.3s", "1d",  "-0",
    "+-1s", "1e3s", ".s",  "5M",  "0x1s", "99999999h", "+",      " 1s", "1s ",
  };
  gint64 microseconds;

  for (unsigned int i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_test_message ("%s", good[i].text);
      g_assert_true (amps_parse_duration (good[i].text, &microseconds, NULL));
      g_assert_cmpint (microseconds, ==, good[i].microseconds);
    }

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i]);
      g_assert_false (amps_parse_duration (bad[i], &microseconds, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_booleans (void)
{
  const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
  const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
  const char *const bad[] = { "", "yes", "on", "tRUE", "2" };
  gboolean value;

  for (unsigned int i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      g_assert_true (amps_parse_boolean (yes[i], &value, NULL));
      g_assert_true (value);
      g_assert_true (amps_parse_boolean (no[i], &value, NULL));
      g_assert_false (value);
    }
  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (amps_parse_boolean (bad[i], &value, NULL));
}

static void
test_sizes (void)
{
  const struct {
    const char *text;
    guint64 bytes;
  } good[] = {
    { "0", 0 },         { "65536", 65536 },    { "64KiB", 65536 },
    { "5MB", 5000000 }, { "1.5MiB", 1572864 }, { "7B", 7 },
  };
  const char *const bad[] = { "", "MiB", "1 MiB", "-1", "1mib", "1TiB", "1MiBx", "1..5MiB" };
  guint64 bytes;

  for (unsigned int i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (amps_parse_size (good[i].text, &bytes, NULL));
      g_assert_cmpuint (bytes, ==, good[i].bytes);
    }
  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (amps_parse_size (bad[i], &bytes, NULL));
}

static void
test_unsigned (void)
{
  const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "9223372036854775808" };
  guint64 value;

  g_assert_true (amps_parse_unsigned ("0", &value, NULL));
  g_assert_cmpuint (value, ==, 0);
  g_assert_true (amps_parse_unsigned ("9223372036854775807", &value, NULL));
  g_assert_cmpuint (value, ==, G_MAXINT64);
  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (amps_parse_unsigned (bad[i], &value, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parse/durations", test_durations);
  g_test_add_func ("/parse/booleans", test_booleans);
  g_test_add_func ("/parse/sizes", test_sizes);
  g_test_add_func ("/parse/unsigned", test_unsigned);
  return g_test_run ();
}
