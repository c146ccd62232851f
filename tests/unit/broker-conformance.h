/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker.h"
#include "shifted-clock.h"

G_BEGIN_DECLS

/* What is tried. */
typedef struct {
  const char *name;      /* stands in the names of the tests */
  gboolean makes_queues; /* a publication makes the queue that it names */
  gpointer data;         /* of @create */
  /* A broker that consumes @subject, which it declares with its dead letters, and has not
   * started. @policy is DEAD_LETTER_MODE=broker. */
  AmpsBroker *(*create) (gpointer data, const char *subject, gboolean policy, AmpsClock *clock);
  /* Ends the epoch, as if the connection died, or @clock says that leases have ended. */
  void (*lose) (gpointer data, AmpsBroker *broker, AmpsDelivery *held, ShiftedClock *clock);
} ConformanceCandidate;

void broker_conformance_add (const ConformanceCandidate *candidate);

G_END_DECLS
