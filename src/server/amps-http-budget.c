/* SPDX-License-Identifier: MIT */
#include "amps-http-budget.h"

/* A body is a GBytes, which may be freed in another thread: that of a broker's
 * connection. Hence the atomic operations, though only the main thread takes. */
struct _AmpsHttpBudget {
  gsize limit;
  gsize used; /* atomic */
};

/**
 * amps_http_budget_new:
 * @limit: how many bytes there may be at once
 *
 * Returns: (transfer full): a budget of which nothing is used
 */
AmpsHttpBudget *
amps_http_budget_new (gsize limit)
{
  AmpsHttpBudget *self = g_atomic_rc_box_new0 (AmpsHttpBudget);

  self->limit = limit;
  return self;
}

/**
 * amps_http_budget_ref:
 * @self: a budget
 *
 * Returns: (transfer full): @self
 */
AmpsHttpBudget *
amps_http_budget_ref (AmpsHttpBudget *self)
{
  return g_atomic_rc_box_acquire (self);
}

/**
 * amps_http_budget_unref:
 * @self: (transfer full): a budget
 *
 * Callable from any thread.
 */
void
amps_http_budget_unref (AmpsHttpBudget *self)
{
  g_atomic_rc_box_release (self);
}

/**
 * amps_http_budget_take:
 * @self: a budget
 * @size: how many more bytes are needed
 *
 * To be called in the main thread only.
 *
 * Returns: whether they were there; if not, nothing is taken
 */
gboolean
amps_http_budget_take (AmpsHttpBudget *self, gsize size)
{
  gsize used = amps_http_budget_get_used (self);

  if (size > self->limit || used > self->limit - size)
    return FALSE;
  g_atomic_pointer_add (&self->used, (gssize) size);
  return TRUE;
}

/**
 * amps_http_budget_give_back:
 * @self: a budget
 * @size: how many bytes that were taken are not needed any more
 *
 * Callable from any thread.
 */
void
amps_http_budget_give_back (AmpsHttpBudget *self, gsize size)
{
  g_atomic_pointer_add (&self->used, -(gssize) size);
}

/**
 * amps_http_budget_get_used:
 * @self: a budget
 *
 * Returns: how many bytes are taken
 */
gsize
amps_http_budget_get_used (AmpsHttpBudget *self)
{
  return (gsize) g_atomic_pointer_get (&self->used);
}
