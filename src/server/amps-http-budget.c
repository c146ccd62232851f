/* SPDX-License-Identifier: MIT */
#include "amps-http-budget.h"

struct _AmpsHttpBudget {
  gsize limit;
  gsize used;
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
  AmpsHttpBudget *self = g_rc_box_new0 (AmpsHttpBudget);

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
  return g_rc_box_acquire (self);
}

/**
 * amps_http_budget_unref:
 * @self: (transfer full): a budget
 */
void
amps_http_budget_unref (AmpsHttpBudget *self)
{
  g_rc_box_release (self);
}

/**
 * amps_http_budget_take:
 * @self: a budget
 * @size: how many more bytes are needed
 *
 * Returns: whether they were there; if not, nothing is taken
 */
gboolean
amps_http_budget_take (AmpsHttpBudget *self, gsize size)
{
  if (size > self->limit - self->used)
    return FALSE;

  self->used += size;
  return TRUE;
}

/**
 * amps_http_budget_give_back:
 * @self: a budget
 * @size: how many bytes that were taken are not needed any more
 */
void
amps_http_budget_give_back (AmpsHttpBudget *self, gsize size)
{
  self->used -= size;
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
  return self->used;
}
