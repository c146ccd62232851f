/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpUri:
 * @host: a name or an address
 * @port: where it listens
 * @tls: whether to speak TLS
 * @user: who logs in
 * @password: secret
 * @vhost: the virtual host
 * @heartbeat: seconds; 0 for none
 * @connection_timeout: µs for each step of connecting
 * @ca_file: (nullable): certificates to trust; the system's by default
 * @certificate_file: (nullable): the client's
 * @key_file: (nullable): what belongs to @certificate_file
 * @verify: whether the server's certificate is verified
 * @external: whether the certificate logs in, rather than the password
 * @address: host and port, to be shown
 *
 * An AMQP URI, taken apart and decoded.
 */
typedef struct {
  char *host;
  int port;
  gboolean tls;
  char *user;
  char *password;
  char *vhost;
  int heartbeat;
  gint64 connection_timeout;
  char *ca_file;
  char *certificate_file;
  char *key_file;
  gboolean verify;
  gboolean external;
  char *address;
} AmpsAmqpUri;

AmpsAmqpUri *amps_amqp_uri_parse (const char *uri, GError **error);
void amps_amqp_uri_free (AmpsAmqpUri *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpUri, amps_amqp_uri_free)

G_END_DECLS
