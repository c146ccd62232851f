/* SPDX-License-Identifier: MIT */
#include "amps-amqp-tls-failure.h"

#include "base/amps-tls-faults.h"

#include <gio/gio.h>

/* What one try to connect found out. */
typedef struct {
  const AmpsAmqpUri *uri;
  const char *ca_file;
  GTlsCertificateFlags faults;
} Explanation;

static gboolean
amqp_tls_failure_on_certificate (GTlsConnection *connection G_GNUC_UNUSED,
                                 GTlsCertificate *certificate G_GNUC_UNUSED,
                                 GTlsCertificateFlags faults, gpointer user_data)
{
  Explanation *self = user_data;

  self->faults = faults;
  return !self->uri->verify;
}

static void
amqp_tls_failure_on_event (GSocketClient *client G_GNUC_UNUSED, GSocketClientEvent event,
                           GSocketConnectable *connectable G_GNUC_UNUSED, GIOStream *stream,
                           Explanation *self)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (event != G_SOCKET_CLIENT_TLS_HANDSHAKING)
    return;

  database = g_tls_file_database_new (self->ca_file, NULL);
  if (database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (stream), database);
  if (self->uri->certificate_file != NULL && self->uri->key_file != NULL)
    certificate =
        g_tls_certificate_new_from_files (self->uri->certificate_file, self->uri->key_file, NULL);
  if (certificate != NULL)
    g_tls_connection_set_certificate (G_TLS_CONNECTION (stream), certificate);
  g_signal_connect (stream, "accept-certificate", G_CALLBACK (amqp_tls_failure_on_certificate),
                    self);
}

/**
 * amps_amqp_tls_failure_explain:
 * @uri: where to
 * @ca_file: the certificates to trust
 *
 * Blocks. rabbitmq-c does not say what it has against a certificate, so this tries it
 * again by GIO, which does.
 *
 * Returns: (transfer full) (nullable): why there is no TLS connection, for people; %NULL
 *   if GIO can make one
 */
char *
amps_amqp_tls_failure_explain (const AmpsAmqpUri *uri, const char *ca_file)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  Explanation self = { .uri = uri, .ca_file = ca_file };

  /* The main thread's is not for this one. */
  g_main_context_push_thread_default (context);
  client = g_socket_client_new ();
  g_socket_client_set_tls (client, TRUE);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client,
                               (unsigned int) MAX (uri->connection_timeout / G_USEC_PER_SEC, 1));
  g_signal_connect (client, "event", G_CALLBACK (amqp_tls_failure_on_event), &self);
  connection =
      g_socket_client_connect_to_host (client, uri->host, (guint16) uri->port, NULL, &error);
  g_main_context_pop_thread_default (context);

  if (connection != NULL)
    return NULL;
  if (self.faults != 0 && uri->verify)
    return amps_tls_faults_describe (self.faults, "the broker");
  return g_strdup (error->message);
}
