/* SPDX-License-Identifier: MIT */
#pragma once

#include "fake-dispatcher.h"
#include "http-client.h"
#include "server/amps-server.h"

G_BEGIN_DECLS

#define JSON "application/json"
#define PROBLEM "application/problem+json"

/* A server on free ports, with a dispatcher that only writes down its calls. */
typedef struct {
  AmpsClock *clock;
  AmpsDispatcher *dispatcher;
  AmpsLifecycle *lifecycle; /* of the dispatcher */
  AmpsMetrics *metrics;
  AmpsConfig *config;
  AmpsServer *server;
  SoupSession *session;
  guint16 port;
  guint16 metrics_port;
} ServerFixture;

void server_set_up (ServerFixture *fixture, gconstpointer data);
void server_tear_down (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED);
HttpAnswer *server_call (ServerFixture *fixture, const char *method, const char *path,
                         const char *body);
HttpAnswer *server_post (ServerFixture *fixture, const char *path, const char *body);
const char *get_header (HttpAnswer *answer, const char *name);
void assert_calls (ServerFixture *fixture, const char *expected);
void assert_contains (const char *text, const char *part);
void assert_problem (HttpAnswer *answer, unsigned int status, const char *detail);
void assert_empty (HttpAnswer *answer, unsigned int status);
void assert_json (HttpAnswer *answer, unsigned int status);

G_END_DECLS
