/* SPDX-License-Identifier: MIT */
#include "amps-byte-budget.h"

struct _AmpsByteBudget {
  gsize limit;
  gsize held; /* atomic */
};

/* Bytes that are held, until nobody has them any more. */
typedef struct {
  AmpsByteBudget *budget; /* (owned) */
  GBytes *bytes;          /* (owned) */
  gsize size;
} Held;

/**
 * amps_byte_budget_new:
 * @limit: how many bytes may be held
 *
 * Returns: (transfer full): a budget of which nothing is taken
 */
AmpsByteBudget *
amps_byte_budget_new (gsize limit)
{
  AmpsByteBudget *self = g_atomic_rc_box_new0 (AmpsByteBudget);

  self->limit = limit;
  return self;
}

/**
 * amps_byte_budget_ref:
 * @self: a budget
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): @self
 */
AmpsByteBudget *
amps_byte_budget_ref (AmpsByteBudget *self)
{
  return g_atomic_rc_box_acquire (self);
}

/**
 * amps_byte_budget_unref:
 * @self: (transfer full): a budget
 *
 * Callable from any thread.
 */
void
amps_byte_budget_unref (AmpsByteBudget *self)
{
  g_atomic_rc_box_release (self);
}

/**
 * amps_byte_budget_fits:
 * @self: a budget
 * @size: bytes
 *
 * Callable from any thread.
 *
 * Returns: whether @size more may be held: there is room, or nothing else is held, so
 *   that what is larger than the limit does not wait for ever
 */
gboolean
amps_byte_budget_fits (AmpsByteBudget *self, gsize size)
{
  gsize held = amps_byte_budget_get_held (self);

  return held == 0 || (held <= self->limit && size <= self->limit - held);
}

/**
 * amps_byte_budget_take:
 * @self: a budget
 * @size: bytes
 *
 * Returns: whether there was room for @size, which is taken then
 */
gboolean
amps_byte_budget_take (AmpsByteBudget *self, gsize size)
{
  if (!amps_byte_budget_fits (self, size))
    return FALSE;

  amps_byte_budget_add (self, size);
  return TRUE;
}

/**
 * amps_byte_budget_add:
 * @self: a budget
 * @size: bytes that are held, whether there is room or not
 *
 * Callable from any thread.
 */
void
amps_byte_budget_add (AmpsByteBudget *self, gsize size)
{
  g_atomic_pointer_add (&self->held, (gssize) size);
}

/**
 * amps_byte_budget_give_back:
 * @self: a budget
 * @size: bytes that were taken or added, and are held no more
 *
 * Callable from any thread.
 */
void
amps_byte_budget_give_back (AmpsByteBudget *self, gsize size)
{
  g_atomic_pointer_add (&self->held, -(gssize) size);
}

static void
held_free (gpointer data)
{
  Held *held = data;

  g_bytes_unref (held->bytes);
  amps_byte_budget_give_back (held->budget, held->size);
  amps_byte_budget_unref (held->budget);
  g_free (held);
}

/**
 * amps_byte_budget_wrap:
 * @self: a budget
 * @bytes: (transfer full): what is held
 * @size: how much of @self was taken for it
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): the same bytes, which give @size back when the last
 *   reference is dropped, in whatever thread
 */
GBytes *
amps_byte_budget_wrap (AmpsByteBudget *self, GBytes *bytes, gsize size)
{
  Held *held = g_new (Held, 1);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);

  held->budget = amps_byte_budget_ref (self);
  held->bytes = bytes;
  held->size = size;
  return g_bytes_new_with_free_func (data, length, held_free, held);
}

/**
 * amps_byte_budget_get_held:
 * @self: a budget
 *
 * Callable from any thread.
 *
 * Returns: how many bytes are held
 */
gsize
amps_byte_budget_get_held (AmpsByteBudget *self)
{
  return (gsize) g_atomic_pointer_get (&self->held);
}

/**
 * amps_byte_budget_get_limit:
 * @self: a budget
 *
 * Returns: how many bytes may be held
 */
gsize
amps_byte_budget_get_limit (AmpsByteBudget *self)
{
  return self->limit;
}

/* Waiting for room */

typedef struct {
  GSource source;
  AmpsByteBudget *budget; /* (owned) */
  gsize size;
} RoomSource;

static gboolean
room_source_prepare (GSource *source, int *timeout)
{
  RoomSource *self = (RoomSource *) source;

  *timeout = -1;
  return amps_byte_budget_fits (self->budget, self->size);
}

static gboolean
room_source_check (GSource *source)
{
  RoomSource *self = (RoomSource *) source;

  return amps_byte_budget_fits (self->budget, self->size);
}

static gboolean
room_source_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static void
room_source_finalize (GSource *source)
{
  amps_byte_budget_unref (((RoomSource *) source)->budget);
}

static GSourceFuncs room_source_funcs = { .prepare = room_source_prepare,
                                          .check = room_source_check,
                                          .dispatch = room_source_dispatch,
                                          .finalize = room_source_finalize };

/**
 * amps_byte_budget_source_new:
 * @self: a budget
 * @size: bytes
 *
 * A source that is ready when @size may be held. It looks in each turn of its context
 * and wakes up nobody: the bytes are to be given back in the thread that runs it.
 *
 * Returns: (transfer full): a source to attach
 */
GSource *
amps_byte_budget_source_new (AmpsByteBudget *self, gsize size)
{
  GSource *source = g_source_new (&room_source_funcs, sizeof (RoomSource));

  ((RoomSource *) source)->budget = amps_byte_budget_ref (self);
  ((RoomSource *) source)->size = size;
  g_source_set_static_name (source, "room in the byte budget");
  return source;
}
