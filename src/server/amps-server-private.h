/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-listener.h"
#include "amps-server.h"
#include "amps-status-history.h"
#include "amps-status-stream.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What the handlers of all routes share. */
struct _AmpsServer {
  GObject parent_instance;

  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsDispatcher *dispatcher; /* (owned) */
  AmpsLifecycle *lifecycle;   /* (owned) */
  AmpsConsumerGate *gate;     /* (owned) */
  AmpsDecider *decider;       /* (owned) */
  AmpsPublisher *publisher;   /* (owned) */
  AmpsManifest *manifest;     /* (owned) */
  AmpsBroker *broker;         /* (owned) */
  AmpsMetrics *metrics;       /* (owned) */
  gint64 created;             /* monotonic µs */

  AmpsHttpListener *api;          /* (owned) */
  AmpsHttpListener *metrics_port; /* (owned) (nullable) */

  AmpsServerCreateDeadLetters create_dead_letters;
  gpointer create_data;
  AmpsDeadLetters *letters; /* (owned) (nullable) unless a call deals with them */

  AmpsStatusHistory *history; /* (owned) */
  AmpsStatusStream *stream;   /* (owned) */

  GQueue listings;             /* of (owned) SoupServerMessage: they wait for their next piece */
  unsigned int listing_source; /* 0 when none waits */
};

/**
 * AmpsHandler:
 * @self: the server
 * @message: a request that may be served; its body has come
 * @rest: what follows the route's path, still percent-encoded
 *
 * Answers a request, at once or after pausing it.
 */
typedef void (*AmpsHandler) (AmpsServer *self, SoupServerMessage *message, const char *rest);

typedef enum {
  AMPS_METHOD_GET = 1 << 0,
  AMPS_METHOD_POST = 1 << 1,
} AmpsMethods;

/* A path below the root that ends in a slash takes whatever follows it. What is not open
 * is the job API, which is not for everybody. */
typedef struct {
  const char *path; /* (nullable) after the last one */
  AmpsMethods methods;
  gboolean open;
  AmpsHandler handler;
  AmpsApiCall call;
} AmpsRoute;

/* Each file that answers requests says which. */
extern const AmpsRoute amps_server_callback_routes[];
extern const AmpsRoute amps_server_job_routes[];
extern const AmpsRoute amps_server_control_routes[];
extern const AmpsRoute amps_server_health_routes[];
extern const AmpsRoute amps_server_dead_letter_routes[];
extern const AmpsRoute amps_server_status_routes[];

void amps_server_forget_listings (AmpsServer *self);
void amps_server_add_job (AmpsServer *self, JsonBuilder *builder, AmpsJob *job, gsize max_text);
void amps_server_begin_status (AmpsServer *self);

char *amps_server_get_query (SoupServerMessage *message, const char *name);
gboolean amps_server_get_number (SoupServerMessage *message, const char *name, guint64 min,
                                 guint64 max, guint64 *number, GError **error);
void amps_server_add_text (JsonBuilder *builder, const char *name, const char *text, gsize max);
void amps_server_add_time (AmpsServer *self, JsonBuilder *builder, gint64 monotonic);

G_END_DECLS
