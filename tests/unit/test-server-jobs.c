/* SPDX-License-Identifier: MIT */
#include "server-fixture.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* Listings of jobs, which are sent in pieces. */

/* More than fit into two pieces. */
#define N_JOBS 250

static void
add_jobs (ServerFixture *f, unsigned int first, unsigned int end)
{
  for (unsigned int i = first; i < end; i++)
    {
      g_autofree char *id = g_strdup_printf ("job-%03u", i);

      fake_dispatcher_add_job (f->dispatcher, id);
    }
}

static JsonObject *
parse (const char *text, JsonParser **parser)
{
  g_autoptr (GError) error = NULL;

  *parser = json_parser_new_immutable ();
  json_parser_load_from_data (*parser, text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (*parser));
}

/* Checks that the page lists the jobs from @first on, and returns what the next one is
 * asked for by. */
static char *
assert_page (const char *text, gint64 count, unsigned int first, unsigned int length)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonObject *page = parse (text, &parser);
  JsonArray *jobs = json_object_get_array_member (page, "jobs");

  g_assert_cmpint (json_object_get_int_member (page, "count"), ==, count);
  g_assert_cmpuint (json_array_get_length (jobs), ==, length);
  for (unsigned int i = 0; i < length; i++)
    {
      g_autofree char *id = g_strdup_printf ("job-%03u", first + i);

      g_assert_cmpstr (
          json_object_get_string_member (json_array_get_object_element (jobs, i), "id"), ==, id);
    }
  return json_object_has_member (page, "next")
             ? g_strdup (json_object_get_string_member (page, "next"))
             : NULL;
}

static char *
get_page (ServerFixture *f, unsigned int limit, const char *after)
{
  g_autofree char *path = g_strdup_printf ("/jobs?limit=%u&after=%s", limit, after);
  g_autoptr (HttpAnswer) answer = server_call (f, "GET", path, NULL);

  assert_json (answer, 200);
  return g_steal_pointer (&answer->body);
}

static void
test_whole (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) answer = NULL;

  add_jobs (f, 0, N_JOBS);
  answer = server_call (f, "GET", "/jobs", NULL);
  assert_json (answer, 200);
  g_assert_null (assert_page (answer->body, N_JOBS, 0, N_JOBS));
}

static void
test_pages (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = NULL, *second = NULL, *third = NULL, *last = NULL;
  g_autofree char *second_start = NULL, *third_start = NULL, *last_start = NULL;

  add_jobs (f, 0, N_JOBS);
  first = get_page (f, 120, "0");
  second_start = assert_page (first, N_JOBS, 0, 120);
  second = get_page (f, 100, second_start);
  third_start = assert_page (second, N_JOBS, 120, 100);

  /* The job that the page before ended with may go, and others come. */
  fake_dispatcher_remove_job (f->dispatcher, "job-219");
  add_jobs (f, N_JOBS, N_JOBS + 10);
  third = get_page (f, 30, third_start);
  last_start = assert_page (third, N_JOBS + 9, 220, 30);
  last = get_page (f, 10, last_start);
  g_assert_null (assert_page (last, N_JOBS + 9, N_JOBS, 10));
}

static void
test_beyond (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *page = NULL;

  add_jobs (f, 0, 2);
  page = get_page (f, 10, "18446744073709551615");
  g_assert_null (assert_page (page, 2, 0, 0));
}

/* An id may be of any length: then a piece has fewer jobs. */
static void
test_long_ids (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) answer = NULL;
  g_autoptr (JsonParser) parser = NULL;

  for (unsigned int i = 0; i < 120; i++)
    {
      g_autofree char *padding = g_strnfill (i % 7 * 20000, 'x');
      g_autofree char *id = g_strdup_printf ("%u%s", i, padding);

      fake_dispatcher_add_job (f->dispatcher, id);
    }
  answer = server_call (f, "GET", "/jobs", NULL);
  g_assert_cmpuint (
      json_array_get_length (json_object_get_array_member (parse (answer->body, &parser), "jobs")),
      ==, 120);
}

static void
test_invalid (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const paths[] = {
    "/jobs?limit=0", "/jobs?limit=10001", "/jobs?limit=-1",
    "/jobs?limit=x", "/jobs?limit=",      "/jobs?after=-1",
    "/jobs?after=x", "/jobs?after=",      "/jobs?after=18446744073709551616",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (HttpAnswer) answer = server_call (f, "GET", paths[i], NULL);

      assert_problem (answer, 400, strstr (paths[i], "limit") != NULL ? "limit" : "after");
    }
}

static void
test_head (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) answer = NULL;
  g_autoptr (HttpAnswer) next = NULL;

  add_jobs (f, 0, N_JOBS);
  answer = server_call (f, "HEAD", "/jobs", NULL);
  assert_empty (answer, 200);
  g_assert_cmpstr (get_header (answer, "Content-Type"), ==, JSON);
  next = server_call (f, "GET", "/healthz", NULL);
  assert_json (next, 200);
}

/* The end of the connection is that of a long answer, also for who knows chunks. */
static void
test_end (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const versions[] = { "1.0", "1.1" };

  add_jobs (f, 0, N_JOBS);
  for (unsigned int i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autoptr (GSocket) socket = raw_connect (f->port);
      g_autofree char *request =
          g_strdup_printf ("GET /jobs HTTP/%s\r\nHost: localhost\r\n\r\n", versions[i]);
      g_autofree char *answer = NULL;

      raw_send (socket, request, strlen (request));
      answer = raw_receive (socket, NULL);
      assert_contains (answer, " 200 OK\r\n");
      assert_contains (answer, "\r\nConnection: close\r\n");
      g_assert_null (strstr (answer, "chunked"));
      g_assert_null (assert_page (strstr (answer, "\r\n\r\n"), N_JOBS, 0, N_JOBS));
    }
}

/* Two in one segment: the second answer follows the first, if that is short. */
static void
test_pipelined (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
#define REQUEST(more) "GET /jobs HTTP/1.1\r\nHost: localhost\r\n" more "\r\n"
  static const char requests[] = REQUEST ("") REQUEST ("Connection: close\r\n");
  g_autoptr (GSocket) socket = raw_connect (f->port);
  g_autofree char *answers = NULL;
  unsigned int n_jobs = 0;

  add_jobs (f, 0, 100);
  raw_send (socket, requests, strlen (requests));
  answers = raw_receive (socket, NULL);
  for (const char *p = answers; (p = strstr (p, "\"id\":\"job-")) != NULL; p++)
    n_jobs++;
  g_assert_cmpuint (n_jobs, ==, 200);
}

/* Some clients go before they have read all, some before anything is sent. */
static void
test_client_that_goes (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char request[] = "GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n";

  add_jobs (f, 0, N_JOBS);
  for (unsigned int turns = 0; turns < 20; turns++)
    {
      g_autoptr (GSocket) socket = raw_connect (f->port);
      g_autoptr (HttpAnswer) next = NULL;

      raw_send (socket, request, strlen (request));
      for (unsigned int i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
      g_socket_close (socket, NULL);
      next = server_call (f, "GET", "/healthz", NULL);
      assert_json (next, 200);
    }
}

/* The tear-down finds out whether they were let go of. */
static void
test_server_that_ends (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char request[] = "GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n";

  add_jobs (f, 0, N_JOBS);
  for (unsigned int turns = 0; turns < 10; turns++)
    {
      g_autoptr (GSocket) socket = raw_connect (f->port);

      raw_send (socket, request, strlen (request));
      for (unsigned int i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/server-jobs/" name, ServerFixture, NULL, server_set_up, function, server_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("whole", test_whole);
  ADD ("pages", test_pages);
  ADD ("beyond", test_beyond);
  ADD ("long-ids", test_long_ids);
  ADD ("invalid", test_invalid);
  ADD ("head", test_head);
  ADD ("end", test_end);
  ADD ("pipelined", test_pipelined);
  ADD ("client-that-goes", test_client_that_goes);
  ADD ("server-that-ends", test_server_that_ends);
  return g_test_run ();
}
