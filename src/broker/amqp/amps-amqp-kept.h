/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpKept:
 *
 * How many messages were taken out of a queue only to be looked at, and go back in the end.
 * They fill the prefetch of their consumer: then another one has to take its place. To begin
 * with, all but the maximum is 0.
 */
typedef struct {
  unsigned int max_prefetch; /* what a consumer may have at once, 1 to 65535 */
  unsigned int prefetch;     /* of the consumer */
  gboolean is_short;         /* it is less than what is wanted */
  unsigned int n_filled;     /* so much of it */
} AmpsAmqpKept;

unsigned int amps_amqp_kept_begin_consumer (AmpsAmqpKept *self, guint64 n_wanted);
void amps_amqp_kept_add (AmpsAmqpKept *self);
gboolean amps_amqp_kept_is_in_the_way (const AmpsAmqpKept *self);

G_END_DECLS
