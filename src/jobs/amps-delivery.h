/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define AMPS_TYPE_DELIVERY (amps_delivery_get_type ())

/**
 * AmpsDelivery:
 * @epoch: generation of the consuming connection that @tag belongs to, from 1
 * @tag: what the backend calls this delivery; means nothing outside its epoch
 * @redelivered: the broker says that it has handed this message out before
 * @attempt: 1-based; failed attempts that count, plus one
 * @returns: how often the broker has taken it back (`x-delivery-count`); 0 when unknown
 * @delay: µs that a retry copy still has to wait, from @received on; 0 for none
 * @received: monotonic µs when it arrived here
 * @first_received: µs since 1970 when AMPS first saw the job, in this run or (by
 *   `x-amps-first-received`) an earlier one
 * @body: (not nullable): exactly as delivered
 * @body_hash: amps_hash_bytes() of @body, made where the main thread is spared
 * @original_body: (nullable): the message's body, when @body was made from it
 * @copy: which of the messages that AMPS has made to run the job again, all others of it
 *   have other numbers; 0 for what a producer has sent, or for a dead letter that was put back
 * @repeated: this consumer has made the copy more than once, as it did not know whether the
 *   first one had reached the broker: another one of the same @copy may come, or has come
 * @incomplete: the message's body was too large to be kept
 * @properties: (nullable): the message's properties, encoded as the backend likes
 * @message_id: (nullable): what the producer calls the message, if it is malformed and
 *   so has no event to be called by
 * @traceparent: (nullable): trace context that came beside the body
 * @tracestate: (nullable): likewise
 *
 * One message that a broker has handed out and waits to see settled. A plain
 * struct, immutable once it has left its backend, so that it may cross threads.
 */
typedef struct {
  unsigned int epoch;
  guint64 tag;
  gboolean redelivered;
  unsigned int attempt;
  unsigned int returns;
  gint64 delay;
  gint64 received;
  gint64 first_received;
  GBytes *body;
  unsigned int body_hash;
  GBytes *original_body;
  unsigned int copy;
  gboolean repeated;
  gboolean incomplete;
  GBytes *properties;
  char *message_id;
  char *traceparent;
  char *tracestate;
  /*< private >*/
  int ref_count; /* atomic; not GLib's box, whose atomics ThreadSanitizer does not see */
} AmpsDelivery;

GType amps_delivery_get_type (void);
AmpsDelivery *amps_delivery_new (GBytes *body);
AmpsDelivery *amps_delivery_ref (AmpsDelivery *self);
void amps_delivery_unref (AmpsDelivery *self);
gint64 amps_delivery_get_remaining_delay (const AmpsDelivery *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsDelivery, amps_delivery_unref)

G_END_DECLS
