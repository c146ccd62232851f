/* SPDX-License-Identifier: MIT */
/* Fills a queue, publishes at a pace, and measures what the machine allows: a
 * consumer that does nothing but acknowledge, and HTTP with nothing behind it. */
#include "broker/amqp/amps-amqp-library.h"
#include "latencies.h"

#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define CHANNEL 1
#define FRAME_MAX 131072
#define UNCONFIRMED 256

static int port;
static int n_messages = 10000;
static int size = 300;
static int rate;
static int in_flight = 100;
static char *queue;

static const GOptionEntry options[] = {
  { "port", 0, 0, G_OPTION_ARG_INT, &port, "Of RabbitMQ, or of the workload", "PORT" },
  { "queue", 0, 0, G_OPTION_ARG_STRING, &queue, "A durable queue, declared if missing", "NAME" },
  { "messages", 0, 0, G_OPTION_ARG_INT, &n_messages, "How many", "N" },
  { "size", 0, 0, G_OPTION_ARG_INT, &size, "Bytes of each event", "BYTES" },
  { "rate", 0, 0, G_OPTION_ARG_INT, &rate, "How many a second; as fast as can be if 0", "N" },
  { "in-flight", 0, 0, G_OPTION_ARG_INT, &in_flight, "Prefetch, or connections", "N" },
  { NULL },
};

static gint64
get_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* An event of about @size bytes, which says when it was made. */
static GString *
make_event (int number)
{
  GString *event = g_string_new (NULL);

  g_string_printf (event,
                   "{\"specversion\":\"1.0\",\"id\":\"%08x-%d\",\"source\":\"/bench\","
                   "\"type\":\"bench.job\",\"data\":{" LATENCIES_SENT "%" G_GINT64_FORMAT
                   ",\"text\":\"",
                   g_random_int (), number, get_ns (CLOCK_MONOTONIC));
  while (event->len + 3 < (gsize) size)
    g_string_append_c (event, (char) ('a' + event->len % 26));
  return g_string_append (event, "\"}}");
}

/* AMQP */

static void
check (amqp_connection_state_t connection, const char *what)
{
  if (amqp_get_rpc_reply (connection).reply_type != AMQP_RESPONSE_NORMAL)
    g_error ("RabbitMQ on port %d: could not %s", port, what);
}

static amqp_connection_state_t
connect_amqp (void)
{
  amqp_connection_state_t connection = amqp_new_connection ();
  amqp_socket_t *socket = amqp_tcp_socket_new (connection);

  if (amqp_socket_open (socket, "127.0.0.1", port) != AMQP_STATUS_OK)
    g_error ("There is no RabbitMQ on port %d", port);
  if (amqp_login (connection, "/", 1, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
          .reply_type != AMQP_RESPONSE_NORMAL)
    g_error ("RabbitMQ on port %d: could not log in", port);
  amqp_channel_open (connection, CHANNEL);
  check (connection, "open a channel");
  amqp_queue_declare (connection, CHANNEL, amqp_cstring_bytes (queue), FALSE, TRUE, FALSE, FALSE,
                      amqp_empty_table);
  check (connection, "declare the queue");
  return connection;
}

/* Returns: up to which message, counted from 1, the broker has confirmed */
static guint64
wait_for_confirm (amqp_connection_state_t connection, guint64 confirmed)
{
  amqp_frame_t frame;
  guint64 tag;

  do
    {
      amqp_maybe_release_buffers (connection);
      if (amqp_simple_wait_frame (connection, &frame) != AMQP_STATUS_OK)
        g_error ("The connection to RabbitMQ broke");
    }
  while (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD);

  tag = ((amqp_basic_ack_t *) frame.payload.method.decoded)->delivery_tag;
  return MAX (confirmed, tag);
}

static void
sleep_until (gint64 due_ns)
{
  struct timespec due = { due_ns / 1000000000, due_ns % 1000000000 };

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
    ;
}

static void
publish (void)
{
  amqp_connection_state_t connection = connect_amqp ();
  amqp_basic_properties_t properties = {
    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG,
    .content_type = amqp_cstring_bytes ("application/cloudevents+json"),
    .delivery_mode = 2,
  };
  gint64 begun = get_ns (CLOCK_MONOTONIC);
  guint64 confirmed = 0;

  amqp_confirm_select (connection, CHANNEL);
  check (connection, "ask for confirms");
  for (int i = 0; i < n_messages; i++)
    {
      if (rate > 0)
        sleep_until (begun + i * (G_GINT64_CONSTANT (1000000000) / rate));

      g_autoptr (GString) event = make_event (i);

      if (amqp_basic_publish (connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes (queue),
                              FALSE, FALSE, &properties, amqp_cstring_bytes (event->str)) != 0)
        g_error ("RabbitMQ on port %d: could not publish", port);
      while (rate == 0 && (guint64) i + 1 - confirmed >= UNCONFIRMED)
        confirmed = wait_for_confirm (connection, confirmed);
    }
  while (confirmed < (guint64) n_messages)
    confirmed = wait_for_confirm (connection, confirmed);
  amqp_connection_close (connection, AMQP_REPLY_SUCCESS);
}

static void
report (gint64 begun, gint64 cpu_begun)
{
  gint64 wall = get_ns (CLOCK_MONOTONIC) - begun;
  gint64 cpu = get_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu_begun;

  printf ("{\"per_second\":%.1f,\"cpu_us\":%.2f}\n", n_messages * 1e9 / (double) wall,
          (double) cpu / 1e3 / n_messages);
}

static void
report_latencies (GArray *latencies, gint64 cpu_begun)
{
  gint64 cpu = get_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu_begun;

  latencies_sort (latencies);
  printf ("{\"p50\":%.3f,\"p99\":%.3f,\"cpu_us\":%.2f}\n",
          latencies_get_quantile_ms (latencies, 0.5), latencies_get_quantile_ms (latencies, 0.99),
          (double) cpu / 1e3 / n_messages);
}

/* As much as any consumer has to do. */
static void
consume (void)
{
  amqp_connection_state_t connection = connect_amqp ();
  g_autoptr (GArray) latencies = latencies_new ();
  gint64 begun, cpu_begun;

  amqp_basic_qos (connection, CHANNEL, 0, (guint16) in_flight, FALSE);
  check (connection, "set the prefetch");
  begun = get_ns (CLOCK_MONOTONIC);
  cpu_begun = get_ns (CLOCK_PROCESS_CPUTIME_ID);
  amqp_basic_consume (connection, CHANNEL, amqp_cstring_bytes (queue), amqp_empty_bytes, FALSE,
                      FALSE, FALSE, amqp_empty_table);
  check (connection, "consume");
  for (int i = 0; i < n_messages; i++)
    {
      amqp_envelope_t envelope;

      amqp_maybe_release_buffers (connection);
      if (amqp_consume_message (connection, &envelope, NULL, 0).reply_type != AMQP_RESPONSE_NORMAL)
        g_error ("RabbitMQ on port %d: could not consume", port);
      if (rate > 0 &&
          !latencies_note (latencies, envelope.message.body.bytes,
                           (gssize) envelope.message.body.len, get_ns (CLOCK_MONOTONIC)))
        g_error ("An event does not say when it was made");
      amqp_basic_ack (connection, CHANNEL, envelope.delivery_tag, FALSE);
      amqp_destroy_envelope (&envelope);
    }
  if (rate > 0)
    report_latencies (latencies, cpu_begun);
  else
    report (begun, cpu_begun);
  amqp_connection_close (connection, AMQP_REPLY_SUCCESS);
}

/* HTTP */

static int
connect_http (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port),
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  int on = 1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    g_error ("There is no workload on port %d", port);
  return fd;
}

/* As little as any POST of an event can cost. */
static void
ping_pong (void)
{
  g_autoptr (GString) event = make_event (0);
  g_autoptr (GString) request = g_string_new (NULL);
  int epoll_fd = epoll_create1 (0);
  gint64 begun = get_ns (CLOCK_MONOTONIC);
  gint64 cpu_begun = get_ns (CLOCK_PROCESS_CPUTIME_ID);
  int n_sent = 0;
  int n_answered = 0;

  g_string_printf (request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                   event->len, event->str);
  for (; n_sent < MIN (in_flight, n_messages); n_sent++)
    {
      struct epoll_event event_mask = { .events = EPOLLIN, .data.fd = connect_http () };

      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, event_mask.data.fd, &event_mask);
      send (event_mask.data.fd, request->str, request->len, MSG_NOSIGNAL);
    }

  while (n_answered < n_messages)
    {
      struct epoll_event ready[64];
      int n = epoll_wait (epoll_fd, ready, G_N_ELEMENTS (ready), -1);

      for (int i = 0; i < n; i++)
        {
          char answer[256];

          if (recv (ready[i].data.fd, answer, sizeof answer, 0) <= 0)
            g_error ("The workload on port %d has gone", port);
          n_answered++;
          if (n_sent++ < n_messages)
            send (ready[i].data.fd, request->str, request->len, MSG_NOSIGNAL);
        }
    }
  report (begun, cpu_begun);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("publish|consume|ping-pong");
  g_autoptr (GError) error = NULL;
  const char *command;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("load: %s\n", error->message);
      return EXIT_FAILURE;
    }

  command = argc == 2 ? argv[1] : "";
  if (g_str_equal (command, "publish"))
    publish ();
  else if (g_str_equal (command, "consume"))
    consume ();
  else if (g_str_equal (command, "ping-pong"))
    ping_pong ();
  else
    {
      g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);

      g_printerr ("%s", help);
      return EXIT_FAILURE;
    }

  return EXIT_SUCCESS;
}
