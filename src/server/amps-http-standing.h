/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsHttpStage:
 * @AMPS_HTTP_STAGE_CLOSING: it was answered for the last time
 * @AMPS_HTTP_STAGE_IDLE: it is between two requests
 * @AMPS_HTTP_STAGE_HEAD: it is new, or has sent nothing yet that it may ask for
 * @AMPS_HTTP_STAGE_BODY: its request may be served, and the body comes
 * @AMPS_HTTP_STAGE_ANSWER: its request was served, and the answer is sent
 * @AMPS_HTTP_STAGE_WAITING: what its request has begun is still under way
 * @AMPS_HTTP_STAGE_ENDED: it takes no place any more
 *
 * What a connection does. The earlier it stands here, the less is lost with it.
 */
typedef enum {
  AMPS_HTTP_STAGE_CLOSING,
  AMPS_HTTP_STAGE_IDLE,
  AMPS_HTTP_STAGE_HEAD,
  AMPS_HTTP_STAGE_BODY,
  AMPS_HTTP_STAGE_ANSWER,
  AMPS_HTTP_STAGE_WAITING,
  AMPS_HTTP_STAGE_ENDED,
} AmpsHttpStage;

/**
 * AmpsHttpStanding:
 * @is_local: whether the peer is on this host
 * @network: the peer's address, or the network that one peer may have for itself
 * @stage: what the connection does
 * @since: monotonic µs when that began
 * @began: monotonic µs when the request began, or the connection
 *
 * What decides whether a connection may stay, and how long.
 */
typedef struct {
  gboolean is_local;
  guint64 network;
  AmpsHttpStage stage;
  gint64 since;
  gint64 began;
} AmpsHttpStanding;

void amps_http_standing_init (AmpsHttpStanding *self, GSocketAddress *remote, GSocketAddress *local,
                              gint64 now);
void amps_http_standing_enter (AmpsHttpStanding *self, AmpsHttpStage stage, gint64 now);
gboolean amps_http_standing_is_late (const AmpsHttpStanding *self, gint64 now);

G_END_DECLS
