/* SPDX-License-Identifier: MIT */
#include "make-job.h"

#include <string.h>

static AmpsJob *
make (const char *id, const char *body, unsigned int epoch, gboolean redelivered)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new (body, strlen (body)));
  AmpsCloudEvent *event = g_new0 (AmpsCloudEvent, 1);

  delivery->epoch = epoch;
  delivery->tag = 1;
  delivery->redelivered = redelivered;
  event->id = g_strdup (id);
  event->source = g_strdup ("/test");
  event->type = g_strdup ("test");
  return amps_job_new (delivery, event);
}

AmpsJob *
make_job (const char *id, const char *body, unsigned int epoch)
{
  return make (id, body, epoch, FALSE);
}

AmpsJob *
make_redelivered_job (const char *id, const char *body, unsigned int epoch)
{
  return make (id, body, epoch, TRUE);
}
