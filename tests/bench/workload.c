/* SPDX-License-Identifier: MIT */
/* A workload that costs next to nothing, so that a benchmark measures AMPS.
 * Prints a line of JSON when the first job has come, and one when all are done. */
#include "latencies.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)
#define MAX_EVENTS 64
#define API_CONNECTIONS 32

/* Enough for LATENCIES_SENT. */
#define KEPT_OF_BODY 400

static int port;
static int api_port;
static int delay_ms;
static int n_jobs = 1;
static gboolean sync_mode;

static const GOptionEntry options[] = {
  { "port", 0, 0, G_OPTION_ARG_INT, &port, "Where to listen, on 127.0.0.1", "PORT" },
  { "api", 0, 0, G_OPTION_ARG_INT, &api_port, "The port of AMPS, to acknowledge jobs", "PORT" },
  { "delay", 0, 0, G_OPTION_ARG_INT, &delay_ms, "Hold each answer back so long", "MS" },
  { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "Say so when so many are done", "N" },
  { "sync", 0, 0, G_OPTION_ARG_NONE, &sync_mode, "The answer is the outcome", NULL },
  { NULL },
};

typedef enum {
  LISTENER,
  CLIENT, /* AMPS POSTs on it */
  API,    /* we acknowledge on it */
} Kind;

typedef struct {
  Kind kind;
  int fd;
  GString *input;
  gsize to_skip; /* bytes of a body that are not looked at */
  GString *ids;  /* what the request being answered, or acknowledged, is about */
  unsigned int n_ids;
} Connection;

/* A request whose answer is held back. */
typedef struct {
  Connection *connection;
  gint64 due; /* monotonic µs */
} Held;

static int epoll_fd;
static GQueue held = G_QUEUE_INIT;     /* of Held, all with the same delay */
static GQueue idle_api = G_QUEUE_INIT; /* of Connection */
static GQueue done = G_QUEUE_INIT;     /* of GString: bodies that wait for one of these */
static GQueue done_counts = G_QUEUE_INIT;
static GArray *latencies; /* of gint64, in ns */
static int n_done;
static gint64 first_ns;

static gint64
get_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
watch (Connection *connection)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
  int on = 1;

  setsockopt (connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

static Connection *
connection_new (Kind kind, int fd)
{
  Connection *connection = g_new0 (Connection, 1);

  connection->kind = kind;
  connection->fd = fd;
  connection->input = g_string_new (NULL);
  connection->ids = g_string_new (NULL);
  watch (connection);
  return connection;
}

static void
send_all (int fd, const char *data, gsize length)
{
  ssize_t sent = send (fd, data, length, MSG_NOSIGNAL);

  /* Whoever has gone needs no answer. */
  if (sent >= 0 && sent != (ssize_t) length)
    g_error ("What is so short did not fit the socket's buffer");
}

static void
count_done (unsigned int n)
{
  n_done += (int) n;
  if (n_done < n_jobs)
    return;

  latencies_sort (latencies);
  printf ("{\"done\":%d,\"first\":%" G_GINT64_FORMAT ",\"last\":%" G_GINT64_FORMAT
          ",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}\n",
          n_done, first_ns, get_ns (), latencies_get_quantile_ms (latencies, 0.5),
          latencies_get_quantile_ms (latencies, 0.99), latencies_get_quantile_ms (latencies, 1));
  fflush (stdout);
  n_jobs = G_MAXINT;
}

/* Acknowledging */

static Connection *
connect_api (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) api_port),
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    g_error ("AMPS does not listen on port %d: %s", api_port, g_strerror (errno));
  return connection_new (API, fd);
}

static void
acknowledge_next (void)
{
  static int n_connections;

  while (done.head != NULL)
    {
      Connection *connection = g_queue_pop_head (&idle_api);
      g_autoptr (GString) request = g_string_new (NULL);
      GString *body;

      if (connection == NULL && n_connections++ < API_CONNECTIONS)
        connection = connect_api ();
      if (connection == NULL)
        return;

      body = g_queue_pop_head (&done);
      connection->n_ids = GPOINTER_TO_UINT (g_queue_pop_head (&done_counts));
      g_string_printf (
          request, "POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
          body->len, body->str);
      g_string_free (body, TRUE);
      send_all (connection->fd, request->str, request->len);
    }
}

static void
acknowledge (const Connection *connection)
{
  GString *body = g_string_new (NULL);

  if (connection->n_ids == 1)
    g_string_printf (body, "{\"identifier\":\"%s\"}", connection->ids->str);
  else
    {
      g_string_printf (body, "{\"identifiers\":[\"%s\"]}", connection->ids->str);
      g_string_replace (body, ",", "\",\"", 0);
    }

  g_queue_push_tail (&done, body);
  g_queue_push_tail (&done_counts, GUINT_TO_POINTER (connection->n_ids));
  acknowledge_next ();
}

static void
take_api_answer (Connection *connection)
{
  if (!g_str_has_prefix (connection->input->str, "HTTP/1.1 202"))
    g_error ("AMPS did not take an acknowledgement: %s", connection->input->str);

  g_string_truncate (connection->input, 0);
  count_done (connection->n_ids);
  g_queue_push_head (&idle_api, connection);
  acknowledge_next ();
}

/* Jobs */

static void
answer (Connection *connection)
{
  static const char no_content[] = "HTTP/1.1 204 No Content\r\n\r\n";

  send_all (connection->fd, no_content, strlen (no_content));
  if (sync_mode)
    count_done (connection->n_ids);
  else
    acknowledge (connection);
}

static void
hold (Connection *connection)
{
  Held *item = g_new (Held, 1);

  item->connection = connection;
  item->due = g_get_monotonic_time () + delay_ms * 1000;
  g_queue_push_tail (&held, item);
}

static void
answer_held (void)
{
  Held *item;

  while ((item = g_queue_peek_head (&held)) != NULL && item->due <= g_get_monotonic_time ())
    {
      answer (item->connection);
      g_free (g_queue_pop_head (&held));
    }
}

static const char *
find_header (const char *head, const char *name)
{
  const char *found = strcasestr (head, name);

  return found != NULL ? found + strlen (name) : NULL;
}

static void
note_arrival (const char *body)
{
  gint64 now = get_ns ();

  if (first_ns == 0)
    {
      first_ns = now;
      printf ("{\"first\":%" G_GINT64_FORMAT "}\n", now);
      fflush (stdout);
    }
  latencies_note (latencies, body, -1, now);
}

/* Returns: whether a whole head and enough of its body were there */
static gboolean
take_request (Connection *connection)
{
  GString *input = connection->input;
  const char *end = strstr (input->str, "\r\n\r\n");
  const char *length = end != NULL ? find_header (input->str, "\r\nContent-Length: ") : NULL;
  const char *ids = end != NULL ? find_header (input->str, "\r\nAmps-Job-Id: ") : NULL;
  gsize body_length, there, kept;

  if (end == NULL)
    return FALSE;
  /* Another sender than AMPS names no job. */
  if (ids == NULL)
    ids = "-\r\n";

  body_length = length != NULL ? g_ascii_strtoull (length, NULL, 10) : 0;
  there = input->len - (gsize) (end + 4 - input->str);
  kept = MIN (body_length, KEPT_OF_BODY);
  if (there < kept)
    return FALSE;

  note_arrival (end + 4);
  g_string_truncate (connection->ids, 0);
  g_string_append_len (connection->ids, ids, strstr (ids, "\r\n") - ids);
  connection->n_ids = 1;
  for (const char *c = connection->ids->str; *c != '\0'; c++)
    connection->n_ids += *c == ',';

  connection->to_skip = body_length - MIN (there, body_length);
  g_string_erase (input, 0, (gssize) (input->len - there + MIN (there, body_length)));
  return TRUE;
}

static void
finish_request (Connection *connection)
{
  if (delay_ms > 0)
    hold (connection);
  else
    answer (connection);
}

static gsize
skip (Connection *connection, gsize length)
{
  gsize skipped = MIN (length, connection->to_skip);

  connection->to_skip -= skipped;
  if (skipped > 0 && connection->to_skip == 0)
    finish_request (connection);
  return skipped;
}

static void
on_readable (Connection *connection)
{
  static char data[READ_SIZE];
  ssize_t length = recv (connection->fd, data, sizeof data, 0);
  gsize skipped;

  if (length <= 0)
    {
      /* Left to the end of the process: an answer may be held back for it. */
      epoll_ctl (epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
      close (connection->fd);
      return;
    }

  skipped = skip (connection, (gsize) length);
  g_string_append_len (connection->input, data + skipped, length - (gssize) skipped);
  if (connection->kind == API)
    {
      if (strstr (connection->input->str, "\r\n\r\n") != NULL)
        take_api_answer (connection);
      return;
    }

  while (connection->to_skip == 0 && take_request (connection))
    {
      if (connection->to_skip == 0)
        finish_request (connection);
    }
}

static void
start_listening (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port),
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  int on = 1;

  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) != 0 || listen (fd, 8192) != 0)
    g_error ("Can't listen on port %d: %s", port, g_strerror (errno));
  connection_new (LISTENER, fd);
}

static int
get_timeout_ms (void)
{
  const Held *first = g_queue_peek_head (&held);

  if (first == NULL)
    return -1;
  return (int) CLAMP ((first->due - g_get_monotonic_time () + 999) / 1000, 0, 1000);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("workload: %s\n", error->message);
      return EXIT_FAILURE;
    }

  latencies = latencies_new ();
  epoll_fd = epoll_create1 (0);
  start_listening ();
  while (TRUE)
    {
      struct epoll_event events[MAX_EVENTS];
      int n = epoll_wait (epoll_fd, events, MAX_EVENTS, get_timeout_ms ());

      for (int i = 0; i < n; i++)
        {
          Connection *connection = events[i].data.ptr;

          if (connection->kind == LISTENER)
            connection_new (CLIENT, accept (connection->fd, NULL, NULL));
          else
            on_readable (connection);
        }
      answer_held ();
    }
}
