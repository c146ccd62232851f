/* SPDX-License-Identifier: MIT */
#include "amps-http-body.h"

#include <string.h>

/* libsoup keeps a list of small pieces, which it copies together in one go: 16
 * MiB would keep the main loop for 10 ms. Here they grow together as they come:
 * that a body was announced is no reason to keep memory for it. */
static G_DEFINE_QUARK (amps-http-body, collected);

/* What each request may have without asking. */
#define FREE_SIZE (64 * 1024)

/* It stays with its request when it has been taken: what waits for the broker waits
 * no longer than its request does. */
typedef struct {
  AmpsByteBudget *budget; /* (owned) */
  guint8 *data;           /* (owned) (nullable) */
  gsize length;
  gsize size; /* of the memory */
  gsize expected;
  gsize unpacked; /* bytes that were made of it */
} Body;

static gsize
get_charge (gsize size)
{
  return size > FREE_SIZE ? size - FREE_SIZE : 0;
}

static void
body_free (Body *self)
{
  g_free (self->data);
  amps_byte_budget_give_back (self->budget, get_charge (self->size) + get_charge (self->unpacked));
  amps_byte_budget_unref (self->budget);
  g_free (self);
}

static gboolean
resize (Body *self, gsize size)
{
  gsize charge = get_charge (size) - get_charge (self->size);
  guint8 *data;

  if (!amps_byte_budget_take (self->budget, charge))
    return FALSE;

  data = g_try_realloc (self->data, size);
  if (data == NULL)
    {
      amps_byte_budget_give_back (self->budget, charge);
      return FALSE;
    }
  self->data = data;
  self->size = size;
  return TRUE;
}

static gboolean
http_body_make_room (Body *self, gsize length)
{
  gsize size = MAX (self->size, FREE_SIZE);

  if (length <= self->size)
    return TRUE;
  while (size < length)
    size *= 2;
  /* Twice as much at once may be too much. */
  return resize (self, length <= self->expected ? MIN (size, self->expected) : size) ||
         resize (self, length);
}

static Body *
http_body_add_body (SoupServerMessage *message, AmpsByteBudget *budget)
{
  Body *body = g_new0 (Body, 1);

  body->budget = amps_byte_budget_ref (budget);
  g_object_set_qdata_full (G_OBJECT (message), collected_quark (), body,
                           (GDestroyNotify) body_free);
  return body;
}

/**
 * amps_http_body_collect:
 * @message: a request whose headers have come
 * @budget: what its memory is taken from
 * @expected: how many bytes its body will have; 0 when unknown
 *
 * Lets the body grow as it comes. For large ones: it costs a small one more than
 * it saves.
 */
void
amps_http_body_collect (SoupServerMessage *message, AmpsByteBudget *budget, gsize expected)
{
  http_body_add_body (message, budget)->expected = expected;
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
}

/**
 * amps_http_body_append:
 * @message: a request whose body is collected
 * @chunk: what has come of it
 *
 * Returns: whether there was memory for it
 */
gboolean
amps_http_body_append (SoupServerMessage *message, GBytes *chunk)
{
  Body *body = g_object_get_qdata (G_OBJECT (message), collected_quark ());
  gsize size;
  const guint8 *data = g_bytes_get_data (chunk, &size);

  if (!http_body_make_room (body, body->length + size))
    return FALSE;
  memcpy (body->data + body->length, data, size);
  body->length += size;
  return TRUE;
}

/**
 * amps_http_body_take:
 * @message: a request whose body has come
 *
 * What it counts for in the budget is given back with @message.
 *
 * Returns: (transfer full): its body, which can be taken once; empty if it was not to
 *   be kept
 */
GBytes *
amps_http_body_take (SoupServerMessage *message)
{
  Body *body = g_object_get_qdata (G_OBJECT (message), collected_quark ());
  SoupMessageBody *other = soup_server_message_get_request_body (message);

  if (body == NULL && !soup_message_body_get_accumulate (other))
    return g_bytes_new (NULL, 0);
  if (body == NULL)
    return soup_message_body_flatten (other);
  return g_bytes_new_take (g_steal_pointer (&body->data), body->length);
}

/**
 * amps_http_body_charge:
 * @message: a request whose body has been taken
 * @budget: what memory is taken from
 * @size: bytes that have been made of the body
 *
 * Counts them as if they had come.
 *
 * Returns: whether there was memory for them
 */
gboolean
amps_http_body_charge (SoupServerMessage *message, AmpsByteBudget *budget, gsize size)
{
  Body *body = g_object_get_qdata (G_OBJECT (message), collected_quark ());

  if (!amps_byte_budget_take (budget, get_charge (size)))
    return FALSE;
  if (body == NULL)
    body = http_body_add_body (message, budget);
  body->unpacked = size;
  return TRUE;
}
