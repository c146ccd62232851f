/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "fake-clock.h"
#include "jobs/amps-job-private.h"
#include "log-recorder.h"
#include "main-loop.h"
#include "make-job.h"
#include "raw-server.h"
#include "workload/amps-workload.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#define EMPTY "Content-Length: 0\r\n\r\n"

typedef struct {
  AmpsClock *clock;
  AmpsConfig *config;
  AmpsMetrics *metrics;
  AmpsWorkload *workload;
  RawServer *server; /* (nullable) */
  GQueue answers;    /* of AmpsAnswer, in the order of their coming */
} Fixture;

static void
set_up_at (Fixture *f, const char *address, const char *settings)
{
  static const char *const none[] = { NULL };
  g_autofree char *text =
      g_strdup_printf ("BROKER_SUBJECT=jobs\nWORKLOAD_ADDRESS=%s\n%s", address, settings);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;

  f->clock = fake_clock_new ();
  f->metrics = amps_metrics_new ();
  f->config = amps_config_new ((const char *const *) environment, NULL, none, &error);
  g_assert_no_error (error);
  f->workload = amps_workload_new (f->config, f->clock, f->metrics);
}

static void
set_up (Fixture *f, gconstpointer settings)
{
  g_autofree char *address = NULL;

  f->server = raw_server_new (NULL);
  address = g_strdup_printf ("http://127.0.0.1:%u/jobs", raw_server_get_port (f->server));
  set_up_at (f, address, settings);
}

static void
tear_down (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_free (log_recorder_take ());
  g_assert_null (f->answers.head);
  g_object_run_dispose (G_OBJECT (f->workload));
  iterate_until_idle ();
  g_assert_finalize_object (f->workload);
  g_clear_pointer (&f->server, raw_server_free);
  g_object_unref (f->config);
  g_object_unref (f->metrics);
  g_assert_finalize_object (f->clock);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;
  AmpsAnswer *answer = amps_workload_send_finish (AMPS_WORKLOAD (source), result, &error);

  g_assert_no_error (error);
  g_queue_push_tail (&f->answers, answer);
}

static void
send_one (Fixture *f, const char *body)
{
  AmpsJob *job = make_job ("a", body, 1);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (jobs, job);
  job->state = AMPS_JOB_POSTING;
  amps_workload_send_async (f->workload, jobs, NULL, on_sent, f);
}

static AmpsAnswer *
wait_for_answer (Fixture *f)
{
  while (f->answers.head == NULL)
    g_main_context_iteration (NULL, TRUE);
  return g_queue_pop_head (&f->answers);
}

/* What comes of a POST that is answered by @reply. */
static AmpsAnswer *
get_answer (Fixture *f, const char *reply)
{
  raw_server_reply (f->server, reply);
  send_one (f, "body");
  return wait_for_answer (f);
}

static void
test_post (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char body[] = "{\"n\": 1.0, \"<>&\\u00fc\": \"\xc3\xbc\"}";
  g_autofree char *request = NULL;
  g_autoptr (AmpsAnswer) answer = NULL;

  raw_server_reply (f->server, "HTTP/1.1 202 Accepted\r\n" EMPTY);
  send_one (f, body);
  answer = wait_for_answer (f);
  g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_STATUS);
  g_assert_cmpuint (answer->status, ==, 202);
  g_assert_cmpint (answer->retry_after, ==, -1);
  g_assert_null (answer->detail);

  request = raw_server_dup_last_request (f->server);
  g_assert_true (g_str_has_prefix (request, "POST /jobs HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nUser-Agent: amps/"));
  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==, body);
}

static void
test_connections_are_kept (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  for (unsigned int i = 0; i < 5; i++)
    {
      /* Whatever it has answered, and however much of it is read. */
      g_autoptr (AmpsAnswer) answer =
          get_answer (f, i % 2 == 0 ? "HTTP/1.1 204 No Content\r\n\r\n"
                                    : "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nfault");

      g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_STATUS);
    }
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 5);
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 1);
}

/* A workload that would get head and body apart would wake up twice. */
static void
test_one_segment (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  gint64 shortest[] = { G_MAXINT64, G_MAXINT64 };

  raw_server_reply (f->server, "HTTP/1.1 204 No Content\r\n\r\n");
  for (unsigned int i = 1; i <= 10; i++)
    {
      gint64 begun = g_get_monotonic_time ();

      send_one (f, i % 2 == 0 ? "body" : "");
      amps_answer_free (wait_for_answer (f));
      shortest[i % 2] = MIN (shortest[i % 2], g_get_monotonic_time () - begun);
      g_assert_cmpuint (raw_server_get_n_segments (f->server), ==, i);
    }
  /* What is held back, and never pushed, the kernel sends after 200 ms. */
  g_assert_cmpint (shortest[0], <, AMPS_MILLISECONDS (150));
  g_assert_cmpint (shortest[1], <, AMPS_MILLISECONDS (150));
}

/* The clients' side of the connections to @port; @state as in /proc/net/tcp. */
static unsigned int
count_connections (unsigned int port, const char *state)
{
  g_autofree char *table = NULL;
  g_autofree char *remote = g_strdup_printf ("0100007F:%04X %s", port, state);
  unsigned int count = 0;

  g_assert_true (g_file_get_contents ("/proc/net/tcp", &table, NULL, NULL));
  /* On the server's side it is followed by the client's address instead of a state. */
  for (const char *at = table; (at = strstr (at, remote)) != NULL; at++)
    if (at[strlen ("0100007F:0000 00")] == ' ')
      count++;
  return count;
}

/* A timer of libsoup's own would close it even when a request has just taken it. */
static void
test_connection_is_taken_late (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  gint64 end;

  amps_answer_free (get_answer (f, "HTTP/1.1 204 No Content\r\n\r\n"));
  iterate_until_idle ();
  g_usleep (AMPS_MILLISECONDS (4200));
  send_one (f, "body");

  end = g_get_monotonic_time () + AMPS_SECONDS (5);
  while (f->answers.head == NULL && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_nonnull (f->answers.head);
  amps_answer_free (wait_for_answer (f));
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 1);
}

/* Before the workload might do it, and lose what is just sent. */
static void
test_idle_connections_are_closed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  amps_answer_free (get_answer (f, "HTTP/1.1 204 No Content\r\n\r\n"));
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  iterate_until_idle ();
  amps_answer_free (get_answer (f, "HTTP/1.1 204 No Content\r\n\r\n"));
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 1);

  fake_clock_advance (f->clock, AMPS_SECONDS (4));
  iterate_until_idle ();
  g_assert_cmpuint (count_connections (raw_server_get_port (f->server), "01"), ==, 0);
  amps_answer_free (get_answer (f, "HTTP/1.1 204 No Content\r\n\r\n"));
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 2);
}

static void
test_details (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) busy =
      get_answer (f, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nw\xffhy");
  g_autoptr (AmpsAnswer) dated = NULL;
  g_autoptr (AmpsAnswer) odd = NULL;

  g_assert_cmpuint (busy->status, ==, 503);
  g_assert_cmpint (busy->retry_after, ==, 7 * G_USEC_PER_SEC);
  g_assert_cmpstr (busy->detail, ==, "w\xef\xbf\xbdhy");

  dated = get_answer (f, "HTTP/1.1 429 No\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n" EMPTY);
  g_assert_cmpint (dated->retry_after, ==, 0);
  odd = get_answer (f, "HTTP/1.1 429 No\r\nRetry-After: soon\r\n" EMPTY);
  g_assert_cmpint (odd->retry_after, ==, -1);
}

/* The first KiB is enough for people. */
static void
test_long_detail (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *text = g_strnfill (200000, 'x');
  g_autofree char *reply =
      g_strdup_printf ("HTTP/1.1 400 No\r\nContent-Length: 200000\r\n\r\n%s", text);
  g_autoptr (AmpsAnswer) answer = get_answer (f, reply);

  g_assert_cmpuint (answer->status, ==, 400);
  g_assert_cmpuint (strlen (answer->detail), ==, AMPS_FOREIGN_TEXT_MAX);
  g_assert_true (g_str_has_suffix (answer->detail, "x…"));
}

static void
test_redirects_are_not_followed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) answer =
      get_answer (f, "HTTP/1.1 307 There\r\nLocation: /elsewhere\r\n" EMPTY);

  g_assert_cmpuint (answer->status, ==, 307);
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);
}

/* libsoup would send it again by itself, without what has been let go of. */
static void
test_misdirected_is_not_sent_twice (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) answer =
      get_answer (f, "HTTP/1.1 421 Misdirected\r\nContent-Length: 7\r\n\r\nnot me\n");

  g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_STATUS);
  g_assert_cmpuint (answer->status, ==, 421);
  g_assert_cmpstr (answer->detail, ==, "not me\n");
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);

  amps_answer_free (get_answer (f, "HTTP/1.1 204 No Content\r\n\r\n"));
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 1);
}

/* The workload may have seen the job: it is to blame, and not sent twice. */
static void
test_lost (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) closed = get_answer (f, NULL);
  g_autoptr (AmpsAnswer) garbage = NULL;

  g_assert_cmpint (closed->kind, ==, AMPS_ANSWER_LOST);
  g_assert_cmpuint (closed->status, ==, 0);
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);

  garbage = get_answer (f, "no HTTP\r\n\r\n");
  g_assert_cmpint (garbage->kind, ==, AMPS_ANSWER_LOST);
}

static void
test_unreachable (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) answer = NULL;

  amps_workload_start (f->workload);
  while (!amps_workload_get_available (f->workload))
    g_main_context_iteration (NULL, TRUE);

  g_clear_pointer (&f->server, raw_server_free);
  send_one (f, "body");
  answer = wait_for_answer (f);
  g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_UNREACHABLE);
  g_assert_false (amps_workload_get_available (f->workload));
  g_assert_nonnull (amps_probe_get_reason (amps_workload_get_probe (f->workload)));
}

static void
test_timed_out (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) answer = NULL;

  raw_server_hold (f->server, TRUE);
  send_one (f, "body");
  raw_server_wait_for_requests (f->server, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (8));
  iterate_until_idle ();
  g_assert_null (f->answers.head);
  fake_clock_advance (f->clock, AMPS_SECONDS (2));
  answer = wait_for_answer (f);
  g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_TIMED_OUT);
}

/* More than are being sent at once. */
#define MANY 450

/* A workload that holds its answers must get all that it may have at once. */
static void
test_many_at_once (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  raw_server_reply (f->server, "HTTP/1.1 200 OK\r\n" EMPTY);
  raw_server_hold (f->server, TRUE);
  for (unsigned int i = 0; i < MANY; i++)
    send_one (f, "body");
  while (raw_server_get_n_requests (f->server) < MANY)
    {
      iterate_until_idle ();
      fake_clock_advance (f->clock, AMPS_MILLISECONDS (30));
    }
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, MANY);

  raw_server_hold (f->server, FALSE);
  for (unsigned int i = 0; i < MANY; i++)
    {
      g_autoptr (AmpsAnswer) answer = wait_for_answer (f);

      g_assert_cmpuint (answer->status, ==, 200);
    }
}

/* Those that it leaves waiting must not be in the way of all others; and of those that
 * are being connected there are few, as the first request has to wait for all of them. */
static void
test_slow_to_accept (void)
{
  Fixture f = { 0 };
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *workload = NULL;
  unsigned int port;

  g_socket_set_listen_backlog (socket, 1);
  g_assert_true (g_socket_bind (socket, any, FALSE, NULL) && g_socket_listen (socket, NULL));
  address = g_socket_get_local_address (socket, NULL);
  port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  workload = g_strdup_printf ("http://127.0.0.1:%u", port);
  set_up_at (&f, workload, "WORKLOAD_RESPONSE_TIMEOUT=9s");

  for (unsigned int i = 0; i < MANY; i++)
    send_one (&f, "body");
  /* However slow this machine is, and no more after that. */
  while (count_connections (port, "02") < 8)
    g_main_context_iteration (NULL, FALSE);
  iterate_until_idle ();
  g_assert_cmpuint (count_connections (port, "02"), ==, 8);
  while (count_connections (port, "0") < MANY)
    {
      g_main_context_iteration (NULL, FALSE);
      fake_clock_advance (f.clock, AMPS_MILLISECONDS (20));
    }

  fake_clock_advance (f.clock, AMPS_SECONDS (9));
  for (unsigned int i = 0; i < MANY; i++)
    amps_answer_free (wait_for_answer (&f));
  tear_down (&f, NULL);
}

/* In sync mode the answer counts. */
static void
test_sync_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"
#define AS_EVENT "HTTP/1.1 200 OK\r\nContent-Type: application/cloudevents+json\r\n"
  g_autofree char *reply =
      g_strdup_printf (AS_EVENT "Content-Length: %d\r\n\r\n" EVENT, (int) strlen (EVENT));
  g_autofree char *text = g_strnfill (2000, 'x');
  g_autofree char *large =
      g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n%s", text);
  g_autoptr (AmpsAnswer) with_event = get_answer (f, reply);
  g_autoptr (AmpsAnswer) with_text = NULL;
  g_autoptr (AmpsAnswer) malformed = NULL;
  g_autoptr (AmpsAnswer) too_large = NULL;

  g_assert_cmpmem (g_bytes_get_data (with_event->event, NULL), g_bytes_get_size (with_event->event),
                   EVENT, strlen (EVENT));

  with_text = get_answer (f, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
  g_assert_null (with_text->event);
  g_assert_cmpuint (g_bytes_get_size (with_text->body), ==, 4);

  malformed =
      get_answer (f, "HTTP/1.1 200 OK\r\nContent-Type: application/cloudevents-batch+json\r\n"
                     "Content-Length: 2\r\n\r\n[]");
  g_assert_error (malformed->problem, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_null (malformed->event);

  too_large = get_answer (f, large);
  g_assert_error (too_large->problem, AMPS_ERROR, AMPS_ERROR_TOO_LARGE);
}

/* What nobody looks into may be packed by whatever. */
static void
test_sync_answers_packed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsAnswer) unknown =
      get_answer (f, AS_EVENT "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}");
  g_autoptr (AmpsAnswer) not_packed =
      get_answer (f, AS_EVENT "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}");
  g_autoptr (AmpsAnswer) no_event =
      get_answer (f, "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}");

  g_assert_error (unknown->problem, AMPS_ERROR, AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE);
  g_assert_error (not_packed->problem, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (not_packed->problem->message, "gzip"));
  g_assert_no_error (no_event->problem);
  g_assert_cmpint (no_event->kind, ==, AMPS_ANSWER_STATUS);
}

/* Nothing would mean that all of a batch is done. */
static void
test_sync_answer_cut_short (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
  static const char *const replies[] = {
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{",
    CHUNKED "\r\n",
    CHUNKED "\r\n1\r\n{\r\n",
    CHUNKED "\r\n1\r\n{",
  };

  raw_server_answer_once (f->server, TRUE);
  for (unsigned int i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      g_autoptr (AmpsAnswer) answer = NULL;

      g_test_message ("case %u", i);
      answer = get_answer (f, replies[i]);
      g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_LOST);
    }
}

static void
test_sync_answer_that_is_whole (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const replies[] = {
    "HTTP/1.0 200 OK\r\n\r\n{}",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    CHUNKED "Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
  };

  amps_answer_free (get_answer (f, CHUNKED "\r\n2\r\n{}\r\n0\r\n\r\n"));
  amps_answer_free (get_answer (f, CHUNKED "\r\n2\r\n{}\r\n0\r\n\r\n"));
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 1);

  raw_server_answer_once (f->server, TRUE);
  for (unsigned int i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      g_autoptr (AmpsAnswer) answer = get_answer (f, replies[i]);

      g_test_message ("case %u", i);
      g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_STATUS);
      g_assert_cmpmem (g_bytes_get_data (answer->body, NULL), g_bytes_get_size (answer->body), "{}",
                       2);
    }
}

/* A server may send some, RFC 9110, section 15.2. */
static void
test_interim_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GString) reply = g_string_new ("HTTP/1.1 204 No Content\r\n\r\n");
  g_autoptr (AmpsAnswer) answer = NULL;
  g_autoptr (AmpsAnswer) flood = NULL;

  for (unsigned int i = 0; i < 16; i++)
    g_string_prepend (reply, "HTTP/1.1 102 Processing\r\n\r\n");
  answer = get_answer (f, reply->str);
  g_assert_cmpuint (answer->status, ==, 204);

  g_string_prepend (reply, "HTTP/1.1 102 Processing\r\n\r\n");
  flood = get_answer (f, reply->str);
  g_assert_cmpint (flood->kind, ==, AMPS_ANSWER_LOST);
  g_assert_cmpstr (flood->detail, ==, "more than 16 interim answers (1xx) in a second");
}

static char *
make_chunks (unsigned int count)
{
  GString *reply = g_string_new ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

  for (unsigned int i = 0; i < count; i++)
    g_string_append (reply, "1\r\nx\r\n");
  g_string_append (reply, "0\r\n\r\n");
  return g_string_free (reply, FALSE);
}

/* Everything else gets its turn meanwhile. */
static void
test_small_chunks (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *reply = make_chunks (64 * 1024);
  g_autofree char *longer = make_chunks (70 * 1024);
  g_autoptr (AmpsAnswer) answer = NULL;
  g_autoptr (AmpsAnswer) flood = NULL;
  unsigned int n_turns = 0;

  raw_server_reply (f->server, reply);
  send_one (f, "body");
  for (; f->answers.head == NULL; n_turns++)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_turns, >=, 64 * 1024 / (2 * 12 * 64));
  answer = wait_for_answer (f);
  g_assert_cmpuint (g_bytes_get_size (answer->body), ==, 64 * 1024);

  flood = get_answer (f, longer);
  g_assert_cmpint (flood->kind, ==, AMPS_ANSWER_LOST);
  g_assert_cmpstr (flood->detail, ==, "its answer comes in too many small pieces");
}

static void
test_unix_socket (void)
{
  Fixture f = { 0 };
  g_autofree char *folder = g_dir_make_tmp ("amps-workload-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "socket", NULL);
  g_autofree char *workload = g_strconcat ("unix:", path, NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autofree char *request = NULL;
  AmpsAnswer *answer;

  f.server = raw_server_new (address);
  set_up_at (&f, workload, "");
  answer = get_answer (&f, "HTTP/1.1 200 OK\r\n" EMPTY);
  g_assert_cmpuint (answer->status, ==, 200);
  amps_answer_free (answer);
  request = raw_server_dup_last_request (f.server);
  g_assert_nonnull (strstr (request, "\r\nHost: localhost\r\n"));

  tear_down (&f, NULL);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  /* As the program does, to make the connections of a session at once. */
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, settings, test)                                                                  \
  g_test_add ("/workload/" name, Fixture, settings, set_up, test, tear_down)
  ADD ("post", "", test_post);
  ADD ("connections-are-kept", "", test_connections_are_kept);
  ADD ("one-segment", "", test_one_segment);
  ADD ("connection-is-taken-late", "", test_connection_is_taken_late);
  ADD ("idle-connections-are-closed", "", test_idle_connections_are_closed);
  ADD ("details", "", test_details);
  ADD ("long-detail", "", test_long_detail);
  ADD ("redirects-are-not-followed", "", test_redirects_are_not_followed);
  ADD ("misdirected-is-not-sent-twice", "", test_misdirected_is_not_sent_twice);
  ADD ("lost", "", test_lost);
  ADD ("unreachable", "", test_unreachable);
  ADD ("timed-out", "WORKLOAD_RESPONSE_TIMEOUT=9s", test_timed_out);
  ADD ("many-at-once", "", test_many_at_once);
  ADD ("sync-answers", "WORKLOAD_MODE=sync\nMAX_BODY_SIZE=1KiB", test_sync_answers);
  ADD ("sync-answers-packed", "WORKLOAD_MODE=sync", test_sync_answers_packed);
  ADD ("sync-answer-cut-short", "WORKLOAD_MODE=sync", test_sync_answer_cut_short);
  ADD ("sync-answer-that-is-whole", "WORKLOAD_MODE=sync", test_sync_answer_that_is_whole);
  ADD ("interim-answers", "", test_interim_answers);
  ADD ("small-chunks", "WORKLOAD_MODE=sync", test_small_chunks);
  g_test_add_func ("/workload/slow-to-accept", test_slow_to_accept);
  g_test_add_func ("/workload/unix-socket", test_unix_socket);
  return g_test_run ();
}
