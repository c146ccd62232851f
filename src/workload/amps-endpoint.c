/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-endpoint.h"

#include "base/amps-log.h"
#include "base/amps-tls-faults.h"
#include "base/amps-tls-peer.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

#define UNIX_SCHEME "unix:"

struct _AmpsEndpoint {
  GObject parent_instance;

  AmpsConfig *config;           /* (owned) */
  GUri *uri;                    /* (owned) */
  GSocketConnectable *socket;   /* (owned) (nullable) instead of what @uri names */
  char *authorization;          /* (owned) (nullable) header that @uri asks for */
  GTlsCertificate *certificate; /* (owned) (nullable) to show to the workload */
  GTlsCertificateFlags faults;  /* of the one that it showed last and that was refused */
};

G_DEFINE_FINAL_TYPE (AmpsEndpoint, amps_endpoint, G_TYPE_OBJECT)

static void
amps_endpoint_finalize (GObject *object)
{
  AmpsEndpoint *self = AMPS_ENDPOINT (object);

  g_clear_object (&self->certificate);
  g_free (self->authorization);
  g_clear_object (&self->socket);
  g_uri_unref (self->uri);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_endpoint_parent_class)->finalize (object);
}

static void
amps_endpoint_class_init (AmpsEndpointClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_endpoint_finalize;
}

static void
amps_endpoint_init (AmpsEndpoint *self G_GNUC_UNUSED)
{
}

/* RFC 7617; the password may have changed. */
static void
read_address (AmpsEndpoint *self)
{
  const char *address = amps_config_get_workload_address (self->config);
  g_autoptr (GUri) uri = NULL;
  g_autofree char *credentials = NULL;
  g_autofree char *encoded = NULL;

  if (g_str_has_prefix (address, UNIX_SCHEME))
    return;

  uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  g_clear_pointer (&self->authorization, g_free);
  if (g_uri_get_user (uri) == NULL)
    return;

  credentials = g_strdup_printf ("%s:%s", g_uri_get_user (uri),
                                 g_uri_get_password (uri) != NULL ? g_uri_get_password (uri) : "");
  encoded = g_base64_encode ((const guchar *) credentials, strlen (credentials));
  self->authorization = g_strconcat ("Basic ", encoded, NULL);
}

/* Certificates are renewed in place. Bad ones were an error at start; later the
 * old ones stay. */
static void
read_certificates (AmpsEndpoint *self)
{
  const char *ca_file = amps_config_get_workload_ca_file (self->config);
  const char *cert_file = amps_config_get_workload_cert_file (self->config);
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;

  if (ca_file != NULL && (database = g_tls_file_database_new (ca_file, &error)) == NULL)
    {
      amps_log (WARNING, WORKLOAD_TLS_FAILED, "WORKLOAD_CA_FILE=%s: %s", ca_file, error->message);
      return;
    }

  if (cert_file != NULL &&
      (certificate = g_tls_certificate_new_from_files (
           cert_file, amps_config_get_workload_key_file (self->config), &error)) == NULL)
    {
      amps_log (WARNING, WORKLOAD_TLS_FAILED, "WORKLOAD_CERT_FILE=%s: %s", cert_file,
                error->message);
      return;
    }

  /* Of the process, which has no other use for TLS: before a connection can be given
   * a database it reads all of the default one, in glib-networking 2.74. That would be
   * 14 ms and 3.8 MB for what the system trusts. */
  if (database != NULL)
    g_tls_backend_set_default_database (g_tls_backend_get_default (), database);
  g_set_object (&self->certificate, certificate);
}

static void
endpoint_on_reloaded (AmpsConfig *config G_GNUC_UNUSED, AmpsEndpoint *self)
{
  read_address (self);
  read_certificates (self);
}

/**
 * amps_endpoint_new:
 * @config: the settings
 *
 * Reads the certificates that @config names, and again when its secrets are.
 *
 * Returns: (transfer full): where the workload is
 */
AmpsEndpoint *
amps_endpoint_new (AmpsConfig *config)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  AmpsEndpoint *self = g_object_new (AMPS_TYPE_ENDPOINT, NULL);
  const char *address = amps_config_get_workload_address (config);

  if (g_str_has_prefix (address, UNIX_SCHEME))
    {
      self->socket =
          G_SOCKET_CONNECTABLE (g_unix_socket_address_new (address + strlen (UNIX_SCHEME)));
      address = "http://localhost";
    }

  self->config = g_object_ref (config);
  self->uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  read_address (self);
  read_certificates (self);
  g_signal_connect_object (config, "reloaded", G_CALLBACK (endpoint_on_reloaded), self, 0);
  return self;
}

/**
 * amps_endpoint_create_session:
 * @self: where the workload is
 * @n_connections: how many it may have
 * @timeout: seconds without a byte after which a request fails; 0 for none
 *
 * At each step of a request a session looks at all its connections, and asks the
 * kernel about those that are idle. It closes none of them before it is freed, unless
 * the workload does.
 *
 * Returns: (transfer full): a session for what amps_endpoint_create_message()
 *   makes
 */
SoupSession *
amps_endpoint_create_session (AmpsEndpoint *self, unsigned int n_connections, unsigned int timeout)
{
  g_return_val_if_fail (AMPS_IS_ENDPOINT (self), NULL);

  SoupSession *session = g_object_new (
      SOUP_TYPE_SESSION, "max-conns", n_connections, "max-conns-per-host", n_connections, "timeout",
      timeout, "idle-timeout", 0, "user-agent", "amps/" AMPS_VERSION, "remote-connectable",
      self->socket, "proxy-resolver", NULL, NULL);

  /* Answers are taken as they are. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  return session;
}

/**
 * amps_endpoint_create_message:
 * @self: where the workload is
 * @method: an HTTP method
 * @path: (nullable): what to ask for, instead of WORKLOAD_ADDRESS itself
 *
 * Returns: (transfer full): a request that shows who asks
 */
SoupMessage *
amps_endpoint_create_message (AmpsEndpoint *self, const char *method, const char *path)
{
  g_autoptr (GUri) uri = path != NULL
                             ? g_uri_parse_relative (self->uri, path, SOUP_HTTP_URI_FLAGS, NULL)
                             : g_uri_ref (self->uri);
  SoupMessage *message = soup_message_new_from_uri (method, uri);

  soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (self->authorization != NULL)
    soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                                 self->authorization);
  if (self->certificate != NULL)
    soup_message_set_tls_client_certificate (message, self->certificate);
  return message;
}

/**
 * amps_endpoint_is_tls:
 * @self: where the workload is
 *
 * Returns: whether connections are encrypted
 */
gboolean
amps_endpoint_is_tls (AmpsEndpoint *self)
{
  return g_str_equal (g_uri_get_scheme (self->uri), "https");
}

static int
get_port (AmpsEndpoint *self)
{
  int standard = amps_endpoint_is_tls (self) ? 443 : 80;

  return g_uri_get_port (self->uri) > 0 ? g_uri_get_port (self->uri) : standard;
}

static gboolean
endpoint_on_certificate (GTlsConnection *connection G_GNUC_UNUSED,
                         GTlsCertificate *certificate G_GNUC_UNUSED, GTlsCertificateFlags faults,
                         AmpsEndpoint *self)
{
  self->faults = faults;
  return FALSE;
}

static void
endpoint_on_event (GSocketClient *client G_GNUC_UNUSED, GSocketClientEvent event,
                   GSocketConnectable *connectable G_GNUC_UNUSED, GIOStream *connection,
                   AmpsEndpoint *self)
{
  amps_tls_peer_keep_address (event, connection);
  if (event != G_SOCKET_CLIENT_TLS_HANDSHAKING)
    return;

  if (self->certificate != NULL)
    g_tls_connection_set_certificate (G_TLS_CONNECTION (connection), self->certificate);
  g_signal_connect_object (connection, "accept-certificate", G_CALLBACK (endpoint_on_certificate),
                           self, 0);
}

/* @faults: of the workload's certificate, if that is what is wrong. Returns: (transfer
 * full): @error, or one that says more of the same */
static GError *
explain (AmpsEndpoint *self, const GError *error, GTlsCertificateFlags faults)
{
  g_autofree char *peer = NULL;
  g_autofree char *text = NULL;

  if (error->domain != G_TLS_ERROR)
    return g_error_copy (error);

  peer = g_strdup_printf ("the workload at %s:%d", g_uri_get_host (self->uri), get_port (self));
  if (error->code == G_TLS_ERROR_BAD_CERTIFICATE)
    text = amps_tls_faults_describe (faults, peer);
  else
    text = g_strdup_printf ("no TLS with %s: %s", peer, error->message);
  return g_error_new_literal (error->domain, error->code, text);
}

/**
 * amps_endpoint_explain_failure:
 * @self: where the workload is
 * @message: (nullable): what was sent there
 * @error: why that failed
 *
 * Returns: (transfer full): an error of the same kind, which says what is wrong with the
 *   workload's certificate if that is the reason
 */
GError *
amps_endpoint_explain_failure (AmpsEndpoint *self, SoupMessage *message, const GError *error)
{
  return explain (self, error,
                  message != NULL ? soup_message_get_tls_peer_certificate_errors (message) : 0);
}

static void
endpoint_on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsEndpoint *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  if (connection == NULL)
    g_task_return_error (task, explain (self, error, self->faults));
  else
    g_task_return_boolean (task, TRUE);
}

static void
connect_async (AmpsEndpoint *self, unsigned int timeout, gboolean tls, GTask *task)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) address =
      self->socket != NULL
          ? g_object_ref (self->socket)
          : g_network_address_new (g_uri_get_host (self->uri), (guint16) get_port (self));

  g_socket_client_set_timeout (client, timeout);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_tls (client, tls);
  if (tls)
    g_signal_connect_object (client, "event", G_CALLBACK (endpoint_on_event), self, 0);
  g_socket_client_connect_async (client, address, g_task_get_cancellable (task),
                                 endpoint_on_connected, task);
}

/**
 * amps_endpoint_connect_async:
 * @self: where the workload is
 * @timeout: seconds that it may take
 * @cancellable: (nullable): stops it
 * @callback: called when it has worked, or has not
 * @user_data: passed to @callback
 *
 * Makes a connection, to see whether that works, and closes it.
 */
void
amps_endpoint_connect_async (AmpsEndpoint *self, unsigned int timeout, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_endpoint_connect_async);
  connect_async (self, timeout, amps_endpoint_is_tls (self), task);
}

/**
 * amps_endpoint_look_async:
 * @self: where the workload is
 * @cancellable: (nullable): stops it
 * @callback: called when it has worked, or has not
 * @user_data: passed to @callback
 *
 * Likewise, but without TLS and for a second at most, to see whether anybody listens.
 */
void
amps_endpoint_look_async (AmpsEndpoint *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_endpoint_look_async);
  connect_async (self, 1, FALSE, task);
}

/**
 * amps_endpoint_connect_finish:
 * @self: where the workload is
 * @result: what the callback got
 * @error: return location
 *
 * Returns: whether a connection could be made
 */
gboolean
amps_endpoint_connect_finish (AmpsEndpoint *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
