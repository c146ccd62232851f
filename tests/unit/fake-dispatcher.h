/* SPDX-License-Identifier: MIT */
#pragma once

#include "delivery/amps-dispatcher.h"

G_BEGIN_DECLS

/* Stands in for the real AmpsDispatcher, which is not linked where this is: it
 * writes down what it is asked for, and answers as it is told. */

AmpsDispatcher *fake_dispatcher_new (AmpsClock *clock);

void fake_dispatcher_add_job (AmpsDispatcher *self, const char *id);
void fake_dispatcher_remove_job (AmpsDispatcher *self, const char *id);
void fake_dispatcher_connect (AmpsDispatcher *self);
void fake_dispatcher_fail (AmpsDispatcher *self, const char *identifier, int code,
                           const char *message);
void fake_dispatcher_set_not_ready (AmpsDispatcher *self, const char *why);
void fake_dispatcher_set_paused (AmpsDispatcher *self, AmpsPauseReason reason);
void fake_dispatcher_set_deadline (AmpsDispatcher *self, gint64 deadline);
void fake_dispatcher_hold_publications (AmpsDispatcher *self);
void fake_dispatcher_finish_publication (AmpsDispatcher *self, GError *error);
char *fake_dispatcher_steal_calls (AmpsDispatcher *self);

G_END_DECLS
