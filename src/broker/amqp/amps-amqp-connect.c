/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-amqp-connect.h"

#include "amps-amqp-channel.h"
#include "amps-amqp-failure.h"
#include "amps-amqp-library.h"
#include "amps-amqp-table.h"
#include "amps-amqp-tls-failure.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

#include <stdio.h>
#include <string.h>

/* rabbitmq-c 0.11 can't be told to use the system's certificates; Debian's are here. */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

/* What RabbitMQ proposes, too. */
#define FRAME_MAX 131072

/* RPCs of a broker that is busy recovering take their time. */
#define RPC_TIMEOUT_SECONDS 15

#define CANT_CONNECT "can't connect to"

/* For each address, to find out why. */
#define MAX_EXPLAINING (5 * G_USEC_PER_SEC)

static struct timeval
to_timeval (gint64 microseconds)
{
  return (struct timeval){ microseconds / G_USEC_PER_SEC, microseconds % G_USEC_PER_SEC };
}

static gboolean
amqp_connect_fail (GError **error, const AmpsAmqpUri *uri, const char *what, int status)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s %s: %s", what, uri->address,
               amps_amqp_failure_describe (status));
  return FALSE;
}

static const char *
get_ca_file (const AmpsAmqpUri *uri)
{
  return uri->ca_file != NULL ? uri->ca_file : SYSTEM_CA_FILE;
}

/* Blocks. */
static gboolean
fail_to_secure (GError **error, const AmpsAmqpUri *uri, int status)
{
  g_autofree char *why = amps_amqp_tls_failure_explain (uri, get_ca_file (uri));

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, CANT_CONNECT " %s: %s", uri->address,
               why != NULL ? why : amps_amqp_failure_describe (status));
  return FALSE;
}

static gboolean
is_of_tls (int status)
{
  return status == AMQP_STATUS_SSL_ERROR || status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED ||
         status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED ||
         status == AMQP_STATUS_SSL_CONNECTION_FAILED;
}

/* Blocks. */
static gboolean
fail_to_connect (GError **error, const AmpsAmqpUri *uri, int status)
{
  g_autofree char *why = NULL;

  if (is_of_tls (status))
    return fail_to_secure (error, uri, status);
  if (status != AMQP_STATUS_SOCKET_ERROR && status != AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED)
    return amqp_connect_fail (error, uri, CANT_CONNECT, status);

  why = amps_amqp_failure_explain (uri->host, uri->port,
                                   MIN (uri->connection_timeout, MAX_EXPLAINING));
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, CANT_CONNECT " %s: %s", uri->address,
               why);
  return FALSE;
}

/**
 * amps_amqp_describe_reply:
 * @reply: what became of a request
 *
 * Returns: (transfer full): what went wrong, for people
 */
char *
amps_amqp_describe_reply (amqp_rpc_reply_t reply)
{
  const amqp_connection_close_t *connection_close = reply.reply.decoded;
  const amqp_channel_close_t *channel_close = reply.reply.decoded;
  amqp_bytes_t text;

  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
    return g_strdup (amps_amqp_failure_describe (reply.library_error));
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
    return g_strdup ("the connection ended");

  if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
    text = connection_close->reply_text;
  else if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
    text = channel_close->reply_text;
  else
    return g_strdup ("an unexpected answer");

  return amps_amqp_failure_dup_text (text);
}

static amqp_socket_t *
new_tls_socket (amqp_connection_state_t connection, const AmpsAmqpUri *uri, GError **error)
{
  amqp_socket_t *socket = amqp_ssl_socket_new (connection);
  const char *ca_file = get_ca_file (uri);
  int status = AMQP_STATUS_OK;

  if (socket == NULL)
    {
      amqp_connect_fail (error, uri, "can't prepare TLS for", AMQP_STATUS_NO_MEMORY);
      return NULL;
    }

  amqp_ssl_socket_set_verify_peer (socket, uri->verify);
  amqp_ssl_socket_set_verify_hostname (socket, uri->verify);
  if (uri->verify)
    status = amqp_ssl_socket_set_cacert (socket, ca_file);
  if (status != AMQP_STATUS_OK)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                   "can't read the certificates to trust in %s: %s", ca_file,
                   amqp_error_string2 (status));
      return NULL;
    }

  if (uri->certificate_file != NULL && uri->key_file != NULL)
    status = amqp_ssl_socket_set_key (socket, uri->certificate_file, uri->key_file);
  if (status != AMQP_STATUS_OK)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                   "can't use the client certificate %s with its key: %s", uri->certificate_file,
                   amqp_error_string2 (status));
      return NULL;
    }

  return socket;
}

/**
 * amps_amqp_connect:
 * @connection: a new connection
 * @uri: where to
 * @error: return location
 *
 * Blocks, for the connection timeout and however long a name's lookup takes.
 *
 * Returns: whether there is a (TLS) connection
 */
gboolean
amps_amqp_connect (amqp_connection_state_t connection, const AmpsAmqpUri *uri, GError **error)
{
  struct timeval timeout = to_timeval (uri->connection_timeout);
  struct timeval rpc_timeout = { RPC_TIMEOUT_SECONDS, 0 };
  amqp_socket_t *socket =
      uri->tls ? new_tls_socket (connection, uri, error) : amqp_tcp_socket_new (connection);
  int status;

  if (socket == NULL)
    return FALSE;

  status = amqp_socket_open_noblock (socket, uri->host, uri->port, &timeout);
  if (status != AMQP_STATUS_OK)
    return fail_to_connect (error, uri, status);

  amqp_set_handshake_timeout (connection, &timeout);
  amqp_set_rpc_timeout (connection, &rpc_timeout);
  return TRUE;
}

static amqp_table_entry_t
make_true (const char *key)
{
  amqp_table_entry_t entry = { .key = amqp_cstring_bytes (key) };

  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

/**
 * amps_amqp_log_in:
 * @connection: a connection
 * @uri: as whom, and where to
 * @name: the connection's name in the broker's tools
 * @error: return location
 *
 * Blocks for the connection timeout at most.
 *
 * Returns: whether the broker let us in
 */
gboolean
amps_amqp_log_in (amqp_connection_state_t connection, const AmpsAmqpUri *uri, const char *name,
                  GError **error)
{
  /* Without the first two a deleted queue leaves the consumer silent for ever,
   * and a memory alarm the publisher. */
  amqp_table_entry_t capabilities[] = {
    make_true ("consumer_cancel_notify"),       make_true ("connection.blocked"),
    make_true ("authentication_failure_close"), make_true ("basic.nack"),
    make_true ("publisher_confirms"),
  };
  amqp_table_entry_t properties[] = {
    amps_amqp_table_make_text ("product", "AMPS"),
    amps_amqp_table_make_text ("version", AMPS_VERSION),
    amps_amqp_table_make_text ("connection_name", name),
    { .key = amqp_cstring_bytes ("capabilities") },
  };
  amqp_table_t table = { G_N_ELEMENTS (properties), properties };
  amqp_rpc_reply_t reply;

  properties[3].value.kind = AMQP_FIELD_KIND_TABLE;
  properties[3].value.value.table = (amqp_table_t){ G_N_ELEMENTS (capabilities), capabilities };

  if (uri->external)
    reply =
        amqp_login_with_properties (connection, uri->vhost, AMPS_AMQP_N_CHANNELS, FRAME_MAX,
                                    uri->heartbeat, &table, AMQP_SASL_METHOD_EXTERNAL, uri->user);
  else
    reply = amqp_login_with_properties (connection, uri->vhost, AMPS_AMQP_N_CHANNELS, FRAME_MAX,
                                        uri->heartbeat, &table, AMQP_SASL_METHOD_PLAIN, uri->user,
                                        uri->password);

  if (reply.reply_type == AMQP_RESPONSE_NORMAL)
    return TRUE;

  g_autofree char *why = amps_amqp_describe_reply (reply);
  g_autofree char *vhost = amps_foreign_text_dup (uri->vhost, -1);

  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "can't log in to %s: %s", uri->address,
                 why);
  else
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                 "%s did not let the user “%s” into the virtual host “%s”: %s", uri->address,
                 uri->user, vhost, why);
  return FALSE;
}

/**
 * amps_amqp_log_out:
 * @connection: a connection that is logged in
 *
 * Blocks until the broker has answered, or the connection breaks. Not by
 * amqp_connection_close(), which keeps all that is still on its way.
 */
void
amps_amqp_log_out (amqp_connection_state_t connection)
{
  amqp_connection_close_t close = { .reply_code = AMQP_REPLY_SUCCESS };
  int status = amqp_send_method (connection, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
  amqp_frame_t frame = { 0 };

  while (status == AMQP_STATUS_OK && !(frame.frame_type == AMQP_FRAME_METHOD &&
                                       frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD))
    {
      amqp_maybe_release_buffers (connection);
      status = amqp_simple_wait_frame (connection, &frame);
    }
}

/**
 * amps_amqp_get_server_version:
 * @connection: a connection that is logged in
 * @major: (out): 0 when unknown
 * @minor: (out): 0 when unknown
 */
void
amps_amqp_get_server_version (amqp_connection_state_t connection, unsigned int *major,
                              unsigned int *minor)
{
  g_autofree char *version =
      amps_amqp_table_dup_text (amqp_get_server_properties (connection), "version");

  *major = 0;
  *minor = 0;
  if (version != NULL)
    sscanf (version, "%u.%u", major, minor);
}
