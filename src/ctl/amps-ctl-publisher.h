/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-api.h"

G_BEGIN_DECLS

/**
 * AmpsCtlPublisher:
 *
 * Publishes events beside each other, as each waits for the broker.
 */
#define AMPS_CTL_TYPE_PUBLISHER (amps_ctl_publisher_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlPublisher, amps_ctl_publisher, AMPS_CTL, PUBLISHER, GObject)

AmpsCtlPublisher *amps_ctl_publisher_new (AmpsCtlContext *context, AmpsCtlApi *api,
                                          gboolean keep_going);

gboolean amps_ctl_publisher_publish (AmpsCtlPublisher *self, GBytes *event, char *place);
void amps_ctl_publisher_finish (AmpsCtlPublisher *self);

guint64 amps_ctl_publisher_get_n_published (AmpsCtlPublisher *self);
guint64 amps_ctl_publisher_get_n_ended (AmpsCtlPublisher *self);
guint64 amps_ctl_publisher_get_n_failed (AmpsCtlPublisher *self);
const char *const *amps_ctl_publisher_get_failures (AmpsCtlPublisher *self);
const GError *amps_ctl_publisher_get_error (AmpsCtlPublisher *self);

G_END_DECLS
