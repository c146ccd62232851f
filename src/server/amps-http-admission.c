/* SPDX-License-Identifier: MIT */
#include "amps-http-admission.h"

#include "base/amps-clock.h"

/* Of all places: those that only local peers get, and what one peer elsewhere may
 * have. A probe of Kubernetes comes from elsewhere, too: from the node. */
#define LOCAL_SHARE 8
#define NETWORK_SHARE 4

/* As long as a local peer may be slow without being suspected of it. */
#define LOCAL_PATIENCE AMPS_SECONDS (1)

/* Local peers are trusted not to fill all places: one of them is interrupted only
 * if it seems to have forgotten the connection. */
static gboolean
may_go (const AmpsHttpStanding *other, gint64 now)
{
  if (!other->is_local)
    return other->stage != AMPS_HTTP_STAGE_WAITING;
  if (other->stage == AMPS_HTTP_STAGE_HEAD)
    return now - other->since >= LOCAL_PATIENCE;
  return other->stage < AMPS_HTTP_STAGE_HEAD;
}

/* Those from elsewhere first, then by what is lost with them, then the oldest. */
static gboolean
goes_before (const AmpsHttpStanding *one, const AmpsHttpStanding *other)
{
  if (one->is_local != other->is_local)
    return other->is_local;
  if (one->stage != other->stage)
    return one->stage < other->stage;
  return one->since < other->since;
}

/**
 * amps_http_admission_init:
 * @self: memory for it
 * @newcomer: (transfer none): the new connection
 * @now: monotonic µs
 *
 * There is no other connection yet.
 */
void
amps_http_admission_init (AmpsHttpAdmission *self, const AmpsHttpStanding *newcomer, gint64 now)
{
  *self = (AmpsHttpAdmission){ .newcomer = newcomer, .now = now };
}

/**
 * amps_http_admission_add:
 * @self: an admission
 * @other: (transfer none): a connection that is there
 *
 * To be called for each of them.
 */
void
amps_http_admission_add (AmpsHttpAdmission *self, const AmpsHttpStanding *other)
{
  gboolean may = may_go (other, self->now);

  if (other->stage == AMPS_HTTP_STAGE_ENDED)
    return;

  self->all.count++;
  if (may && (self->all.first == NULL || goes_before (other, self->all.first)))
    self->all.first = other;
  if (other->is_local)
    return;

  self->remote.count++;
  if (may && (self->remote.first == NULL || goes_before (other, self->remote.first)))
    self->remote.first = other;
  if (other->network != self->newcomer->network)
    return;

  self->network.count++;
  if (may && (self->network.first == NULL || goes_before (other, self->network.first)))
    self->network.first = other;
}

/**
 * amps_http_admission_decide:
 * @self: an admission that has seen all
 * @max: how many connections there may be
 * @other: (out) (nullable): which goes, with %AMPS_HTTP_REPLACE
 *
 * Returns: what becomes of the new connection
 */
AmpsHttpDecision
amps_http_admission_decide (const AmpsHttpAdmission *self, unsigned int max,
                            const AmpsHttpStanding **other)
{
  gboolean is_remote = !self->newcomer->is_local;

  if (is_remote && self->network.count >= max / NETWORK_SHARE)
    *other = self->network.first;
  else if (is_remote && self->remote.count >= max - max / LOCAL_SHARE)
    *other = self->remote.first;
  else if (self->all.count >= max)
    *other = self->all.first;
  else
    {
      *other = NULL;
      return AMPS_HTTP_ADMIT;
    }
  return *other != NULL ? AMPS_HTTP_REPLACE : AMPS_HTTP_REFUSE;
}
