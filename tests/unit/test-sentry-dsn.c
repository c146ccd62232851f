/* SPDX-License-Identifier: MIT */
#include "sentry/amps-sentry-dsn.h"

static void
test_parts (void)
{
  static const struct {
    const char *text;
    const char *url;
  } cases[] = {
    { "https://c0ffee@o1.ingest.sentry.example/42",
      "https://o1.ingest.sentry.example/api/42/envelope/" },
    { "https://c0ffee:secret@sentry.example/42", "https://sentry.example/api/42/envelope/" },
    { "http://c0ffee@127.0.0.1:9000/inner/path/42",
      "http://127.0.0.1:9000/inner/path/api/42/envelope/" },
    { "http://c0ffee@[::1]:9000/42", "http://[::1]:9000/api/42/envelope/" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsSentryDsn) dsn = amps_sentry_dsn_new (cases[i].text);

      g_assert_cmpstr (dsn->url, ==, cases[i].url);
      g_assert_true (g_str_has_prefix (dsn->auth, "Sentry sentry_version=7, sentry_client=amps/"));
      g_assert_true (g_str_has_suffix (dsn->auth, ", sentry_key=c0ffee"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sentry-dsn/parts", test_parts);
  return g_test_run ();
}
