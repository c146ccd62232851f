/* SPDX-License-Identifier: MIT */
#include "amps-http-standing.h"

#include "amps-access.h"
#include "base/amps-clock.h"

#include <string.h>

/* From the first byte of a request, or from the connection, to the end of its answer. */
#define REQUEST_TIMEOUT AMPS_SECONDS (30)
/* For the head of a request from elsewhere, or all of it if it may not be served. */
#define REMOTE_TIMEOUT AMPS_SECONDS (5)
/* Over the 60 s after which common clients drop idle connections: the one that
 * does not send is to close first, or a request may meet a closed connection. */
#define IDLE_TIMEOUT AMPS_SECONDS (65)
/* For what a client sends after it was refused. */
#define LINGER_TIMEOUT AMPS_SECONDS (1)

/**
 * amps_http_standing_init:
 * @self: memory for it
 * @remote: the peer's end of a connection
 * @local: AMPS's own end
 * @now: monotonic µs
 *
 * It stands for a new connection then.
 */
void
amps_http_standing_init (AmpsHttpStanding *self, GSocketAddress *remote, GSocketAddress *local,
                         gint64 now)
{
  g_autoptr (GInetAddress) address = NULL;

  *self = (AmpsHttpStanding){ .is_local = amps_access_is_local (remote, local),
                              .stage = AMPS_HTTP_STAGE_HEAD,
                              .since = now,
                              .began = now };
  if (!G_IS_INET_SOCKET_ADDRESS (remote))
    return;

  /* A host has all of an IPv6 /64. */
  address = amps_access_dup_address (remote);
  memcpy (&self->network, g_inet_address_to_bytes (address),
          MIN (g_inet_address_get_native_size (address), sizeof self->network));
}

/**
 * amps_http_standing_enter:
 * @self: a standing
 * @stage: what the connection does now
 * @now: monotonic µs
 */
void
amps_http_standing_enter (AmpsHttpStanding *self, AmpsHttpStage stage, gint64 now)
{
  if (stage == self->stage)
    return;

  /* The time that it waited for AMPS is not its own. */
  if (stage == AMPS_HTTP_STAGE_HEAD || self->stage == AMPS_HTTP_STAGE_WAITING)
    self->began = now;
  self->stage = stage;
  self->since = now;
}

/**
 * amps_http_standing_is_late:
 * @self: a standing
 * @now: monotonic µs
 *
 * Returns: whether what the connection does has taken too long
 */
gboolean
amps_http_standing_is_late (const AmpsHttpStanding *self, gint64 now)
{
  switch (self->stage)
    {
    case AMPS_HTTP_STAGE_CLOSING:
      return now - self->since >= LINGER_TIMEOUT;
    case AMPS_HTTP_STAGE_IDLE:
      return now - self->since >= IDLE_TIMEOUT;
    case AMPS_HTTP_STAGE_HEAD:
      return now - self->began >= (self->is_local ? REQUEST_TIMEOUT : REMOTE_TIMEOUT);
    case AMPS_HTTP_STAGE_BODY:
    case AMPS_HTTP_STAGE_ANSWER:
      return now - self->began >= REQUEST_TIMEOUT;
    case AMPS_HTTP_STAGE_WAITING:
    case AMPS_HTTP_STAGE_ENDED:
      return FALSE;
    }
  g_return_val_if_reached (FALSE);
}
