/* SPDX-License-Identifier: MIT */
#include "amps-amqp-flush-source.h"

typedef struct {
  GSource source;
  gboolean requested;
  int fd;
  gpointer fd_tag; /* (nullable) while waiting for room */
} FlushSource;

static gboolean
flush_source_prepare (GSource *source, int *timeout)
{
  FlushSource *self = (FlushSource *) source;

  *timeout = -1;
  return self->requested && self->fd_tag == NULL;
}

static gboolean
flush_source_check (GSource *source)
{
  FlushSource *self = (FlushSource *) source;

  return self->fd_tag != NULL && g_source_query_unix_fd (source, self->fd_tag) != 0;
}

static gboolean
flush_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  FlushSource *self = (FlushSource *) source;

  self->requested = FALSE;
  if (self->fd_tag != NULL)
    g_source_remove_unix_fd (source, g_steal_pointer (&self->fd_tag));
  return callback (user_data);
}

static GSourceFuncs flush_source_funcs = { .prepare = flush_source_prepare,
                                           .check = flush_source_check,
                                           .dispatch = flush_source_dispatch };

/**
 * amps_amqp_flush_source_new:
 * @fd: a socket, which outlives the source
 *
 * A source that is ready once after each request, when the turn of the main loop
 * in which it was made is over; while it waits for room, not before there is some.
 *
 * Returns: (transfer full): a source to attach
 */
GSource *
amps_amqp_flush_source_new (int fd)
{
  GSource *source = g_source_new (&flush_source_funcs, sizeof (FlushSource));

  ((FlushSource *) source)->fd = fd;
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

/**
 * amps_amqp_flush_source_wait:
 * @source: a flush source
 *
 * From its callback: makes it ready again when the socket can be written to.
 */
void
amps_amqp_flush_source_wait (GSource *source)
{
  FlushSource *self = (FlushSource *) source;

  self->fd_tag = g_source_add_unix_fd (source, self->fd, G_IO_OUT);
}
