/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-flush-source.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  int sockets[2];
  GSource *source;
  unsigned int n_calls;
  gboolean waits; /* the next time it is called */
} Fixture;

static gboolean
on_flush (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_calls++;
  if (f->waits)
    amps_amqp_flush_source_wait (f->source);
  return G_SOURCE_CONTINUE;
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->sockets), ==, 0);
  f->source = amps_amqp_flush_source_new (f->sockets[0]);
  g_source_set_callback (f->source, on_flush, f, NULL);
  g_source_attach (f->source, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_source_destroy (f->source);
  g_source_unref (f->source);
  close (f->sockets[0]);
  close (f->sockets[1]);
}

static void
assert_called (Fixture *f, unsigned int n_calls)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_calls, ==, n_calls);
}

static void
test_request (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_called (f, 0);
  amps_amqp_flush_source_request (f->source);
  amps_amqp_flush_source_request (f->source);
  assert_called (f, 1);
  amps_amqp_flush_source_request (f->source);
  assert_called (f, 2);
}

static void
test_wait (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  char bytes[4096] = { 0 };

  while (write (f->sockets[0], bytes, sizeof bytes) > 0)
    ;
  f->waits = TRUE;
  amps_amqp_flush_source_request (f->source);
  assert_called (f, 1);
  amps_amqp_flush_source_request (f->source);
  assert_called (f, 1);

  f->waits = FALSE;
  while (read (f->sockets[1], bytes, sizeof bytes) > 0)
    ;
  assert_called (f, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/amqp-flush-source/request", Fixture, NULL, set_up, test_request, tear_down);
  g_test_add ("/amqp-flush-source/wait", Fixture, NULL, set_up, test_wait, tear_down);
  return g_test_run ();
}
