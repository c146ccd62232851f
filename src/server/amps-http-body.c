/* SPDX-License-Identifier: MIT */
#include "amps-http-body.h"

/* libsoup keeps a list of small pieces, which it copies together in one go: 16
 * MiB would keep the main loop for 10 ms. Here they grow together as they come. */
static G_DEFINE_QUARK (amps-http-body, collected);

static void
on_got_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data G_GNUC_UNUSED)
{
  GByteArray *body = g_object_get_qdata (G_OBJECT (message), collected_quark ());
  gsize length;
  const guint8 *data = g_bytes_get_data (chunk, &length);

  g_byte_array_append (body, data, (unsigned int) length);
}

/**
 * amps_http_body_collect:
 * @message: a request whose headers have come
 * @expected: how many bytes its body will have; 0 when unknown
 *
 * Lets the body grow as it comes. For large ones: it costs a small one more than
 * it saves.
 */
void
amps_http_body_collect (SoupServerMessage *message, gsize expected)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  g_object_set_qdata_full (G_OBJECT (message), collected_quark (),
                           g_byte_array_sized_new ((unsigned int) expected),
                           (GDestroyNotify) g_byte_array_unref);
  g_signal_connect (message, "got-chunk", G_CALLBACK (on_got_chunk), NULL);
}

/**
 * amps_http_body_get_length:
 * @message: a request whose body is collected
 *
 * Returns: how many bytes have come
 */
gsize
amps_http_body_get_length (SoupServerMessage *message)
{
  const GByteArray *body = g_object_get_qdata (G_OBJECT (message), collected_quark ());

  return body->len;
}

/**
 * amps_http_body_take:
 * @message: a request whose body has come
 *
 * Returns: (transfer full): its body, which can be taken once
 */
GBytes *
amps_http_body_take (SoupServerMessage *message)
{
  GByteArray *body = g_object_steal_qdata (G_OBJECT (message), collected_quark ());

  if (body != NULL)
    return g_byte_array_free_to_bytes (body);
  return soup_message_body_flatten (soup_server_message_get_request_body (message));
}
