/* SPDX-License-Identifier: MIT */
#include "raw-server.h"
#include "workload/amps-endpoint.h"

#include <glib/gstdio.h>

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

typedef struct {
  RawServer *server;
  char *ca_file; /* one authority of the system's */
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  unsigned int n_failed;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const none[] = { NULL };
  g_autofree char *authorities = NULL;
  g_autofree char *address = NULL;
  g_autofree char *ca_file = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp (NULL, &f->ca_file, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_get_contents (AUTHORITIES, &authorities, NULL, &error);
  g_assert_no_error (error);
  g_file_set_contents (f->ca_file, authorities,
                       strstr (authorities, END) + strlen (END) - authorities, &error);
  g_assert_no_error (error);

  f->server = raw_server_new (NULL);
  address =
      g_strdup_printf ("WORKLOAD_ADDRESS=https://127.0.0.1:%u/", raw_server_get_port (f->server));
  ca_file = g_strconcat ("WORKLOAD_CA_FILE=", f->ca_file, NULL);

  const char *const environment[] = { "BROKER_SUBJECT=jobs", address, ca_file, NULL };

  f->config = amps_config_new (environment, NULL, none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_finalize_object (f->endpoint);
  g_assert_finalize_object (f->config);
  g_unlink (f->ca_file);
  g_free (f->ca_file);
}

static void
on_sent (GObject *session, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_null (soup_session_send_finish (SOUP_SESSION (session), result, &error));
  f->n_failed++;
}

static void
on_connected (GObject *endpoint, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_endpoint_connect_finish (AMPS_ENDPOINT (endpoint), result, &error));
  f->n_failed++;
}

/* All that it trusts would be read for each connection. */
static void
test_system_is_not_asked (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupSession) session = amps_endpoint_create_session (f->endpoint, 0);
  g_autoptr (SoupMessage) message =
      amps_endpoint_create_message (f->endpoint, SOUP_METHOD_GET, NULL);

  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, NULL, on_sent, f);
  amps_endpoint_connect_async (f->endpoint, 5, NULL, on_connected, f);
  while (raw_server_get_n_connections (f->server) < 2)
    g_main_context_iteration (NULL, FALSE);
  g_clear_pointer (&f->server, raw_server_free);
  while (f->n_failed < 2)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (n_read, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/endpoint/system-is-not-asked", Fixture, NULL, set_up, test_system_is_not_asked,
              tear_down);
  return g_test_run ();
}
