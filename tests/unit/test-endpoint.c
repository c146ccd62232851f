/* SPDX-License-Identifier: MIT */
#include "workload/amps-endpoint.h"

#include <glib/gstdio.h>
#include <string.h>

/* Debian's, of which one is taken. */
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

#define END "-----END CERTIFICATE-----\n"

/* GnuTLS's, in whose place this one is called: it reads what the system trusts. */
int gnutls_x509_trust_list_add_system_trust (gpointer list, unsigned int flags,
                                             unsigned int verification);

static unsigned int n_read;

int
gnutls_x509_trust_list_add_system_trust (gpointer list G_GNUC_UNUSED,
                                         unsigned int flags G_GNUC_UNUSED,
                                         unsigned int verification G_GNUC_UNUSED)
{
  n_read++;
  return 1;
}

static char *
write_one_authority (void)
{
  g_autofree char *authorities = NULL;
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_get_contents (AUTHORITIES, &authorities, NULL, &error);
  g_assert_no_error (error);
  g_file_set_contents (path, authorities, strstr (authorities, END) + strlen (END) - authorities,
                       &error);
  g_assert_no_error (error);
  return path;
}

/* A connection as libsoup makes it, which gives it a database only then. */
static void
make_connection (void)
{
  g_autoptr (GInputStream) in = g_memory_input_stream_new ();
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (in, out);
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) connection = g_tls_client_connection_new (stream, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (connection);
}

/* Each connection would read all of it: 14 ms, and 3.8 MB. */
static void
test_system_is_not_asked (void)
{
  static const char *const none[] = { NULL };
  g_autofree char *path = write_one_authority ();
  g_autofree char *ca_file = g_strconcat ("WORKLOAD_CA_FILE=", path, NULL);
  const char *const environment[] = { "BROKER_SUBJECT=jobs", "WORKLOAD_ADDRESS=https://127.0.0.1",
                                      ca_file, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = amps_config_new (environment, NULL, none, &error);
  g_autoptr (AmpsEndpoint) endpoint = NULL;

  g_assert_no_error (error);
  make_connection ();
  g_assert_cmpuint (n_read, >, 0);

  n_read = 0;
  endpoint = amps_endpoint_new (config);
  make_connection ();
  g_assert_cmpuint (n_read, ==, 0);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/endpoint/system-is-not-asked", test_system_is_not_asked);
  return g_test_run ();
}
