/* SPDX-License-Identifier: MIT */
#include "telemetry/amps-workload-url.h"

static void
assert_url (const char *address, const char *url, const char *host, int port)
{
  g_autoptr (AmpsWorkloadUrl) found = amps_workload_url_new (address);

  g_assert_cmpstr (found->url, ==, url);
  g_assert_cmpstr (found->address, ==, host);
  g_assert_cmpint (found->port, ==, port);
}

static void
test_url (void)
{
  assert_url ("http://localhost:5050", "http://localhost:5050", "localhost", 5050);
  assert_url ("https://worker/jobs", "https://worker/jobs", "worker", 443);
  assert_url ("http://[::1]:80/", "http://[::1]:80/", "::1", 80);
  assert_url ("unix:/run/w.sock", "http://localhost/", "/run/w.sock", 0);
}

/* They are nobody else's business. */
static void
test_secrets (void)
{
  assert_url ("http://user:hunter2@host:1/path?token=hunter2", "http://host:1/path", "host", 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/workload-url/url", test_url);
  g_test_add_func ("/workload-url/secrets", test_secrets);
  return g_test_run ();
}
