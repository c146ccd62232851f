/* SPDX-License-Identifier: MIT */
#include "amps-amqp-flush-source.h"

typedef struct {
  GSource source;
  gboolean requested;
} FlushSource;

static gboolean
flush_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return ((FlushSource *) source)->requested;
}

static gboolean
flush_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ((FlushSource *) source)->requested = FALSE;
  return callback (user_data);
}

static GSourceFuncs flush_source_funcs = { .prepare = flush_source_prepare,
                                           .dispatch = flush_source_dispatch };

/**
 * amps_amqp_flush_source_new:
 *
 * A source that is ready once after each request, when the turn of the main loop
 * in which it was made is over.
 *
 * Returns: (transfer full): a source to attach
 */
GSource *
amps_amqp_flush_source_new (void)
{
  GSource *source = g_source_new (&flush_source_funcs, sizeof (FlushSource));

  g_source_set_static_name (source, "AMQP flush");
  return source;
}

/**
 * amps_amqp_flush_source_request:
 * @source: a flush source
 *
 * In the thread that runs the source's context. So nobody has to be woken up, which
 * g_source_set_ready_time() would do.
 */
void
amps_amqp_flush_source_request (GSource *source)
{
  ((FlushSource *) source)->requested = TRUE;
}
