/* SPDX-License-Identifier: MIT */
#include "amps-tls-faults.h"

/**
 * amps_tls_faults_describe:
 * @faults: what is wrong with a certificate; at least one fault
 * @peer: the peer that showed it, by the name under which it was looked for
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): a text for the person who has to find the fault
 */
char *
amps_tls_faults_describe (GTlsCertificateFlags faults, const char *peer)
{
  static const struct {
    GTlsCertificateFlags fault;
    const char *text;
  } texts[] = {
    { G_TLS_CERTIFICATE_EXPIRED, "has expired" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "is not valid yet, by this machine's clock" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "is for another name" },
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "is not signed by an authority that is trusted here" },
    { G_TLS_CERTIFICATE_REVOKED, "was revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "has a key or a signature that is too weak" },
  };
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  g_auto (GStrv) parts = NULL;
  g_autofree char *list = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      if (faults & texts[i].fault)
        g_strv_builder_add (found, texts[i].text);
    }

  parts = g_strv_builder_end (found);
  list = g_strjoinv (", and ", parts);
  return g_strdup_printf ("the certificate of %s %s", peer,
                          *list != '\0' ? list : "can't be checked");
}
