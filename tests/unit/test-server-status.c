/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "server-fixture.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* The page and what it shows. */

#define TOKEN "API_TOKEN=open-sesame"
#define WATCH "GET /events HTTP/1.1\r\nHost: localhost\r\n"

static GSocket *
watch (ServerFixture *f, const char *headers)
{
  g_autofree char *request = g_strconcat (WATCH, headers, "\r\n", NULL);
  GSocket *socket = raw_connect (f->port);

  raw_send (socket, request, strlen (request));
  return socket;
}

/* What is in the first event of that name that comes. */
static JsonNode *
receive (GSocket *socket, const char *name)
{
  g_autofree char *text = raw_receive (socket, "}\n\n");
  g_autofree char *start = g_strdup_printf ("event: %s\ndata: ", name);
  const char *data = strstr (text, start);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (data);
  data += strlen (start);
  json_parser_load_from_data (parser, data, strstr (data, "\n\n") - data, &error);
  g_assert_no_error (error);
  return json_parser_steal_root (parser);
}

static JsonObject *
look (ServerFixture *f, JsonNode **node)
{
  g_autoptr (GSocket) socket = watch (f, "");

  *node = receive (socket, "status");
  return json_node_get_object (*node);
}

static void
test_page (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    const char *path;
    const char *type;
  } parts[] = {
    { "/", "text/html; charset=utf-8" },
    { "/page/page.css", "text/css; charset=utf-8" },
    { "/page/page.js", "text/javascript; charset=utf-8" },
    { "/page/icon.svg", "image/svg+xml" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autoptr (HttpAnswer) answer = server_call (f, "GET", parts[i].path, NULL);
      g_autoptr (HttpAnswer) head = server_call (f, "HEAD", parts[i].path, NULL);
      const char *policy = get_header (answer, "Content-Security-Policy");

      g_assert_cmpuint (answer->status, ==, 200);
      g_assert_cmpstr (get_header (answer, "Content-Type"), ==, parts[i].type);
      g_assert_cmpstr (get_header (answer, "X-Content-Type-Options"), ==, "nosniff");
      g_assert_true (g_str_has_prefix (policy, "default-src 'none'; script-src 'self'; "));
      g_assert_null (strstr (policy, "unsafe"));
      assert_contains (policy, "frame-ancestors 'none'");
      assert_empty (head, 200);
    }
}

/* Each part that a part names is there. */
static void
test_parts (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GRegex) name = g_regex_new ("\"(?:\\./|page/)([a-z]+\\.[a-z]+)\"", 0, 0, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (paths, g_strdup ("/"));
  for (unsigned int i = 0; i < paths->len; i++)
    {
      g_autoptr (HttpAnswer) answer = server_call (f, "GET", paths->pdata[i], NULL);
      g_autoptr (GMatchInfo) match = NULL;

      g_test_message ("%s", (char *) paths->pdata[i]);
      g_assert_cmpuint (answer->status, ==, 200);
      g_regex_match (name, answer->body, 0, &match);
      for (; g_match_info_matches (match); g_match_info_next (match, NULL))
        {
          g_autofree char *part = g_match_info_fetch (match, 1);
          g_autofree char *path = g_strconcat ("/page/", part, NULL);

          if (!g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL))
            g_ptr_array_add (paths, g_steal_pointer (&path));
        }
    }
  g_assert_cmpuint (paths->len, >=, 8);
}

static void
test_no_page (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const paths[] = {
    "/page/", "/page/nothing.js", "/page/../index.html", "/page/page.gresource.xml", "/index.html",
    "//"
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GSocket) socket = raw_connect (f->port);
      g_autofree char *request =
          g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
      g_autofree char *answer = NULL;

      raw_send (socket, request, strlen (request));
      answer = raw_receive (socket, "}");
      g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 404 "));
    }
}

/* The page is for everybody, what it shows is not. */
static void
test_token (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) page = server_call (f, "GET", "/", NULL);
  g_autoptr (HttpAnswer) refused = server_call (f, "GET", "/events", NULL);
  g_autoptr (GSocket) socket = watch (f, "Authorization: Bearer open-sesame\r\n");
  g_autoptr (JsonNode) node = receive (socket, "status");

  g_assert_cmpuint (page->status, ==, 200);
  assert_problem (refused, 401, "API_TOKEN");
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "state"), ==,
                   "running");
}

static void
test_look (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsQueueDepths *depths = amps_queue_depths_new ();
  g_autoptr (JsonNode) node = NULL;
  JsonObject *seen, *job, *queues;

  amps_queue_depths_add (depths, amps_config_get_subject (f->config), 12);
  amps_queue_depths_add (depths, amps_config_get_dead_letter_queue (f->config), 3);
  amps_metrics_take_queue_depths (f->metrics, depths);
  amps_metrics_set_gauge (f->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT, 50);
  fake_dispatcher_set_paused (f->dispatcher, AMPS_PAUSE_WORKLOAD);
  fake_dispatcher_connect (f->dispatcher);
  fake_dispatcher_set_not_ready (f->dispatcher, "the workload is away|and more");
  fake_dispatcher_add_job (f->dispatcher, "a");

  seen = look (f, &node);
  g_assert_cmpstr (json_object_get_string_member (seen, "time"), ==, "2026-01-01T00:00:01.000Z");
  g_assert_cmpstr (json_object_get_string_member (seen, "queue"), ==,
                   amps_config_get_subject (f->config));
  g_assert_false (json_object_get_boolean_member (seen, "ready"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (seen, "obstacles")), ==,
                    2);
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (seen, "broker"), "state"), ==,
      "consuming");
  queues = json_object_get_object_member (seen, "queues");
  g_assert_cmpint (json_object_get_int_member (queues, "waiting"), ==, 12);
  g_assert_cmpint (json_object_get_int_member (queues, "dead"), ==, 3);
  g_assert_false (json_object_has_member (queues, "retrying"));
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (seen, "workload"), "state"), ==,
      "unavailable");
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (seen, "workload"), "limit"), ==,
      50);
  g_assert_cmpint (json_object_get_int_member (seen, "in_flight"), ==, 1);
  job = json_array_get_object_element (json_object_get_array_member (seen, "jobs"), 0);
  g_assert_cmpstr (json_object_get_string_member (job, "id"), ==, "a");
}

/* What is long is cut, and of many jobs the oldest are shown. */
static void
test_bounds (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (JsonNode) node = NULL;
  JsonArray *jobs;

  for (unsigned int i = 0; i < 60; i++)
    {
      g_autoptr (GString) id = g_string_new (NULL);

      g_string_append_printf (id, "%u", i);
      for (unsigned int j = 0; j < 10000; j++)
        g_string_append (id, "€");
      fake_dispatcher_add_job (f->dispatcher, id->str);
    }

  jobs = json_object_get_array_member (look (f, &node), "jobs");
  g_assert_cmpuint (json_array_get_length (jobs), ==, 50);
  for (unsigned int i = 0; i < 50; i++)
    {
      const char *id =
          json_object_get_string_member (json_array_get_object_element (jobs, i), "id");

      g_assert_cmpuint (strtoul (id, NULL, 10), ==, i);
      g_assert_true (g_str_has_suffix (id, "€…"));
      g_assert_cmpuint (strlen (id), <=, 203);
    }
}

static void
test_failures (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsManifest *manifest = amps_dispatcher_get_manifest (f->dispatcher);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *failure;
  JsonArray *failures;

  fake_dispatcher_add_job (f->dispatcher, "<b>");
  amps_failures_add (amps_manifest_get_failures (manifest), amps_manifest_lookup (manifest, "<b>"),
                     AMPS_OUTCOME_REJECTED, "status", "line\nend");
  failures = json_object_get_array_member (look (f, &node), "failures");
  g_assert_cmpuint (json_array_get_length (failures), ==, 1);
  failure = json_array_get_object_element (failures, 0);
  g_assert_cmpstr (json_object_get_string_member (failure, "id"), ==, "<b>");
  g_assert_cmpstr (json_object_get_string_member (failure, "outcome"), ==, "rejected");
  g_assert_cmpstr (json_object_get_string_member (failure, "detail"), ==, "line\nend");
}

#define ADD(name, settings, function)                                                              \
  g_test_add ("/server-status/" name, ServerFixture, settings, server_set_up, function,            \
              server_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("page", NULL, test_page);
  ADD ("parts", NULL, test_parts);
  ADD ("no-page", NULL, test_no_page);
  ADD ("token", TOKEN, test_token);
  ADD ("look", NULL, test_look);
  ADD ("bounds", NULL, test_bounds);
  ADD ("failures", NULL, test_failures);
  return g_test_run ();
}
