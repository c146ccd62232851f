/* SPDX-License-Identifier: MIT */
#pragma once

#include "delivery/amps-dispatcher.h"
#include "fake-broker.h"
#include "fake-clock.h"
#include "main-loop.h"
#include "make-job.h"
#include "server/amps-http-listener.h"

G_BEGIN_DECLS

/* The dispatcher and its parts, between a broker that writes down what it is
 * told and a workload that is a real web server. */
typedef struct {
  AmpsClock *clock;
  FakeBroker *broker;
  AmpsConfig *config;
  AmpsMetrics *metrics;
  AmpsManifest *manifest;
  AmpsTracer *tracer; /* (nullable) if the settings want one */
  AmpsWorkload *workload;
  AmpsDispatcher *dispatcher;
  AmpsLifecycle *lifecycle; /* of the dispatcher, as are the next ones */
  AmpsConsumerGate *gate;
  AmpsDecider *decider;
  AmpsPublisher *publisher;
  AmpsClock *real_clock;
  AmpsHttpListener *listener;
  unsigned int status;     /* what the web server answers; 0 for not at all */
  unsigned int get_status; /* the same to whether it is ready */
  const char *answer;      /* (nullable) its body, JSON or an event */
  unsigned int n_posts;
  GString *bodies;         /* (owned) of all POSTs, a line for each */
  SoupServerMessage *held; /* (nullable) the last one that is not answered */
} DispatcherFixture;

/* One test: its settings are a .env file (nullable). */
typedef struct {
  const char *path;
  void (*test) (DispatcherFixture *f, gconstpointer settings);
  const char *settings;
} DispatcherTest;

/* Returns: what main() shall */
int run_dispatcher_tests (int *argc, char ***argv, const DispatcherTest *tests,
                          unsigned int n_tests);
void iterate_until_posted (DispatcherFixture *f, unsigned int n_posts);
void deliver (DispatcherFixture *f, AmpsJob *job);
void run (DispatcherFixture *f, const char *id);
void assert_told (DispatcherFixture *f, const char *expected);
void assert_outcomes (DispatcherFixture *f, const char *expected);
void assert_metric (DispatcherFixture *f, const char *line);

G_END_DECLS
