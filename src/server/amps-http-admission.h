/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-standing.h"

G_BEGIN_DECLS

/**
 * AmpsHttpDecision:
 * @AMPS_HTTP_ADMIT: there is a place
 * @AMPS_HTTP_REPLACE: there is one if another connection goes
 * @AMPS_HTTP_REFUSE: there is none
 *
 * What becomes of a new connection.
 */
typedef enum {
  AMPS_HTTP_ADMIT,
  AMPS_HTTP_REPLACE,
  AMPS_HTTP_REFUSE,
} AmpsHttpDecision;

/**
 * AmpsHttpAdmission:
 *
 * Decides about one new connection, after it was shown all others.
 */
typedef struct {
  /*< private >*/
  const AmpsHttpStanding *newcomer;
  gint64 now;
  struct {
    unsigned int count;
    const AmpsHttpStanding *first; /* to go */
  } all, remote, network;
} AmpsHttpAdmission;

void amps_http_admission_init (AmpsHttpAdmission *self, const AmpsHttpStanding *newcomer,
                               gint64 now);
void amps_http_admission_add (AmpsHttpAdmission *self, const AmpsHttpStanding *other);
AmpsHttpDecision amps_http_admission_decide (const AmpsHttpAdmission *self, unsigned int max,
                                             const AmpsHttpStanding **other);

G_END_DECLS
