/* SPDX-License-Identifier: MIT */
#include "amps-http-socket.h"

#include <netinet/in.h>

#define BACKLOG 1024

/* Both families on one socket; IPv4 alone where the system has no IPv6. */
static GSocket *
listen_on (GSocketFamily family, guint16 port, GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  g_autoptr (GInetAddress) any = g_inet_address_new_any (family);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, port);

  if (socket == NULL)
    return NULL;
  if (family == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, FALSE, NULL);
  g_socket_set_listen_backlog (socket, BACKLOG);
  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error))
    return NULL;

  return g_steal_pointer (&socket);
}

/**
 * amps_http_socket_listen:
 * @port: a TCP port; 0 for any
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a socket that listens there on all interfaces,
 *   and does not block
 */
GSocket *
amps_http_socket_listen (guint16 port, GError **error)
{
  g_autoptr (GError) ipv6_error = NULL;
  GSocket *socket = listen_on (G_SOCKET_FAMILY_IPV6, port, &ipv6_error);

  if (socket == NULL && !g_error_matches (ipv6_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    return listen_on (G_SOCKET_FAMILY_IPV4, port, error);
  if (socket == NULL)
    g_propagate_error (error, g_steal_pointer (&ipv6_error));
  return socket;
}
