/* SPDX-License-Identifier: MIT */
#pragma once

#include "fake-server.h"

G_BEGIN_DECLS

#define TYPE_FAKE_BROKER (fake_broker_get_type ())
G_DECLARE_FINAL_TYPE (FakeBroker, fake_broker, FAKE, BROKER, AmpsBroker)

FakeBroker *fake_broker_new (void);
FakeBroker *fake_broker_new_connected (FakeServer *server, const char *subject);
void fake_broker_deliver (FakeBroker *self, AmpsJob *job);
void fake_broker_lose_connection (FakeBroker *self);
void fake_broker_fail_settlements (FakeBroker *self, int error_code, unsigned int times);
void fake_broker_fail_publications (FakeBroker *self, int error_code, unsigned int times);
void fake_broker_hold_publications (FakeBroker *self, gboolean hold);
void fake_broker_set_rejects (FakeBroker *self, gboolean rejects);
void fake_broker_set_stuck (FakeBroker *self, gboolean stuck);
unsigned int fake_broker_get_n_counts (FakeBroker *self);
void fake_broker_answer_count (FakeBroker *self, gint64 n_messages);

char *fake_broker_take_log (FakeBroker *self);

G_END_DECLS
