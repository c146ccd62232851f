/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-kept.h"
#include "amps-amqp-parcels.h"
#include "amps-amqp-reconnector.h"
#include "amps-dead-letters-amqp.h"
#include "base/amps-error.h"
#include "jobs/amps-settlement.h"

G_BEGIN_DECLS

typedef enum {
  CONSUMER_NONE,
  CONSUMER_ACTIVE,
  CONSUMER_REPLACED, /* it is to end, and another one begins */
  CONSUMER_ENDING,
} ConsumerState;

/* What the files of the dead letters share. */
struct _AmpsDeadLettersAmqp {
  AmpsDeadLetters parent_instance;
  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsAmqpSettings *settings; /* (owned) */
  AmpsMailbox *events;        /* (owned) */
  AmpsAmqpReconnector reader;
  AmpsAmqpReconnector publisher;
  GSource *watchdog;  /* (owned) */
  GSource *look;      /* (owned) due for the next look at how many letters there are */
  gboolean abandoned; /* an I/O thread hangs, and may still tell something */

  /* Of a request: */
  ConsumerState consumer;
  AmpsAmqpKept kept;
  AmpsAmqpParcels *parcels; /* (owned) */
  guint64 n_selected;
  guint64 n_held;       /* deliveries that are not settled */
  gboolean begun;       /* it is known how many letters there are */
  gboolean looking;     /* how many are left */
  gboolean blocked;     /* the broker takes no publications */
  unsigned int n_empty; /* looks in a row that found none */
  gint64 last_event;    /* monotonic µs */

  /* Of its end: */
  gboolean closing;
  gint64 close_by; /* monotonic µs */
  unsigned int step;
  GError *problem; /* (owned) (nullable) why it ends early */
};

void amps_dead_letters_amqp_settle (AmpsDeadLettersAmqp *self, guint64 tag,
                                    AmpsSettlementKind kind);
void amps_dead_letters_amqp_stop_consuming (AmpsDeadLettersAmqp *self);
void amps_dead_letters_amqp_close (AmpsDeadLettersAmqp *self, GError *problem);
void amps_dead_letters_amqp_fail (AmpsDeadLettersAmqp *self, AmpsError code, const char *format,
                                  ...) G_GNUC_PRINTF (3, 4);
void amps_dead_letters_amqp_find_returned (AmpsDeadLettersAmqp *self, gint64 n_messages);
void amps_dead_letters_amqp_go_on_closing (AmpsDeadLettersAmqp *self);
void amps_dead_letters_amqp_hurry (AmpsDeadLettersAmqp *self);

G_END_DECLS
