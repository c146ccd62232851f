/* SPDX-License-Identifier: MIT */
#include "base/amps-tls-faults.h"

static void
assert_described (GTlsCertificateFlags faults, const char *expected)
{
  g_autofree char *text = amps_tls_faults_describe (faults, "host:1");

  g_assert_cmpstr (text, ==, expected);
}

static void
test_describe (void)
{
  assert_described (G_TLS_CERTIFICATE_EXPIRED, "the certificate of host:1 has expired");
  assert_described (G_TLS_CERTIFICATE_BAD_IDENTITY | G_TLS_CERTIFICATE_UNKNOWN_CA,
                    "the certificate of host:1 is for another name, and is not signed by an "
                    "authority that is trusted here");
  assert_described (G_TLS_CERTIFICATE_GENERIC_ERROR, "the certificate of host:1 can't be checked");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tls-faults/describe", test_describe);
  return g_test_run ();
}
