/* SPDX-License-Identifier: MIT */
#include "amps-tls-peer.h"

#define ADDRESS_KEY "amps-tls-peer-address"

/**
 * amps_tls_peer_keep_address:
 * @event: what happens
 * @stream: (nullable): to what
 *
 * To be called at each event of a connection that is made without waiting and that is to
 * have TLS.
 *
 * glib-networking asks such a connection for its peer's address, and frees that even if
 * there is none, which is a critical of GObject's. There is none if the peer resets the
 * connection before: GLib asks once more whether it was made, and forgets the address if
 * not. So this gives it back. (Mended in glib-networking by its commit dc5d08c9 of June
 * 2026; Debian 12 and 13 have older ones.)
 */
void
amps_tls_peer_keep_address (GSocketClientEvent event, GIOStream *stream)
{
  g_autoptr (GSocketAddress) address = NULL;

  if (event != G_SOCKET_CLIENT_CONNECTING && event != G_SOCKET_CLIENT_CONNECTED)
    return;

  /* Until it is connected GLib knows where it is to lead. After that this is the question
   * that glib-networking will ask; its answer stays. */
  address = g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (stream), NULL);
  if (event == G_SOCKET_CLIENT_CONNECTING)
    {
      g_object_set_data_full (G_OBJECT (stream), ADDRESS_KEY, g_steal_pointer (&address),
                              g_object_unref);
      return;
    }

  /* This sets the address and connects nothing: the kernel says by ECONNABORTED that the
   * connection which was asked for has ended (Linux, inet_stream_connect()). */
  if (address == NULL)
    g_socket_connect (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)),
                      g_object_get_data (G_OBJECT (stream), ADDRESS_KEY), NULL, NULL);
}

static void
tls_peer_on_network_event (GObject *message G_GNUC_UNUSED, GSocketClientEvent event,
                           GIOStream *stream, gpointer user_data G_GNUC_UNUSED)
{
  amps_tls_peer_keep_address (event, stream);
}

/**
 * amps_tls_peer_keep_address_of:
 * @message: a SoupMessage that is not sent yet
 *
 * Calls amps_tls_peer_keep_address() at each event of its connection.
 */
void
amps_tls_peer_keep_address_of (GObject *message)
{
  g_signal_connect (message, "network-event", G_CALLBACK (tls_peer_on_network_event), NULL);
}
