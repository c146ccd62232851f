/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "server-fixture.h"

#include <string.h>

#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"

static void
test_acknowledge (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) plain = server_post (fixture, "/acknowledge", "{\"identifier\":\"a\"}");
  g_autoptr (HttpAnswer) later = server_post (
      fixture, "/acknowledge", "{\"identifier\":\"b\",\"reschedule\":true,\"delay\":\"5s\"}");

  assert_empty (plain, 202);
  assert_empty (later, 202);
  assert_calls (fixture, "acknowledge a\nreschedule b 5000000\n");
}

static void
test_reject (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) plain = server_post (fixture, "/reject", "{\"identifier\":\"a\"}");
  g_autoptr (HttpAnswer) reason =
      server_post (fixture, "/reject", "{\"identifier\":\"b\",\"reason\":\"no good\"}");
  g_autoptr (HttpAnswer) later =
      server_post (fixture, "/reject", "{\"identifier\":\"c\",\"reschedule\":true}");
  g_autoptr (HttpAnswer) publish =
      server_post (fixture, "/reject", "{\"identifier\":\"d\",\"publish\":" EVENT "}");

  assert_empty (plain, 202);
  assert_empty (reason, 202);
  assert_empty (later, 202);
  assert_problem (publish, 400, "publish");
  assert_calls (fixture, "reject a: no reason\nreject b: no good\nreschedule c 0\n");
}

static void
test_errors (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    int code;
    unsigned int status;
    const char *retry_after;
  } cases[] = {
    { AMPS_ERROR_NOT_FOUND, 404, NULL }, { AMPS_ERROR_CONFLICT, 409, NULL },
    { AMPS_ERROR_BUSY, 503, "1" },       { AMPS_ERROR_UNAVAILABLE, 503, "1" },
    { AMPS_ERROR_FAILED, 500, NULL },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HttpAnswer) acknowledge = NULL;
      g_autoptr (HttpAnswer) reject = NULL;

      fake_dispatcher_fail (fixture->dispatcher, "a", cases[i].code, "“why”");
      acknowledge = server_post (fixture, "/acknowledge", "{\"identifier\":\"a\"}");
      reject = server_post (fixture, "/reject", "{\"identifier\":\"a\"}");
      assert_problem (acknowledge, cases[i].status, "“why”");
      assert_problem (reject, cases[i].status, "“why”");
      g_assert_cmpstr (get_header (acknowledge, "Retry-After"), ==, cases[i].retry_after);
    }
}

static void
test_bad_requests (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const paths[] = { "/acknowledge", "/reject", "/heartbeat" };
  static const char *const bodies[] = {
    "", "{", "[]", "{}", "{\"identifier\":1}", "{\"identifiers\":[]}"
  };

  for (size_t i = 0; i < G_N_ELEMENTS (paths); i++)
    for (size_t j = 0; j < G_N_ELEMENTS (bodies); j++)
      {
        g_autoptr (HttpAnswer) answer = server_post (fixture, paths[i], bodies[j]);

        assert_problem (answer, 400, "\"detail\":\"");
      }
  assert_calls (fixture, "");
}

static void
test_many (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) all =
      server_post (fixture, "/acknowledge", "{\"identifiers\":[\"a\",\"b\"]}");
  g_autoptr (HttpAnswer) some = NULL;

  assert_empty (all, 202);
  assert_calls (fixture, "acknowledge a\nacknowledge b\n");

  fake_dispatcher_fail (fixture->dispatcher, "b", AMPS_ERROR_CONFLICT, "too late");
  some = server_post (fixture, "/reject", "{\"identifiers\":[\"a\",\"b\"],\"reason\":\"r\"}");
  assert_json (some, 207);
  g_assert_cmpstr (some->body, ==,
                   "[{\"identifier\":\"a\",\"status\":202},"
                   "{\"identifier\":\"b\",\"title\":\"Already decided otherwise\","
                   "\"detail\":\"too late\",\"status\":409}]");
  assert_calls (fixture, "reject a: r\nreject b: r\n");
}

static void
test_acknowledge_publish (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *body = "{\"identifier\":\"a\",\"publish\":[" EVENT "," EVENT "]}";
  g_autoptr (HttpAnswer) done = server_post (fixture, "/acknowledge", body);
  g_autoptr (HttpAnswer) failed = NULL;

  assert_empty (done, 202);
  assert_calls (fixture, "acknowledge a with\nevent " EVENT "\nevent " EVENT "\npublished\n");

  fake_dispatcher_fail (fixture->dispatcher, "publish", AMPS_ERROR_UNAVAILABLE, "no broker");
  failed = server_post (fixture, "/acknowledge", body);
  assert_problem (failed, 503, "no broker");
  g_assert_cmpstr (get_header (failed, "Retry-After"), ==, "1");
}

/* The client that waits for a confirm may go; others are served meanwhile. */
static void
test_publish_held (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) gone = raw_connect (fixture->port);
  g_autofree char *request =
      g_strdup_printf ("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s",
                       (int) strlen (EVENT), EVENT);
  g_autofree char *calls = NULL;
  g_autoptr (HttpAnswer) other = NULL;

  fake_dispatcher_hold_publications (fixture->dispatcher);
  raw_send (gone, request, strlen (request));
  for (calls = fake_dispatcher_steal_calls (fixture->dispatcher); calls[0] == '\0';)
    {
      g_main_context_iteration (NULL, TRUE);
      g_free (calls);
      calls = fake_dispatcher_steal_calls (fixture->dispatcher);
    }
  other = server_post (fixture, "/acknowledge", "{\"identifier\":\"a\"}");
  assert_empty (other, 202);
  g_socket_close (gone, NULL);
  fake_dispatcher_finish_publication (fixture->dispatcher, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  assert_calls (fixture, "acknowledge a\n");
}

static void
test_publish (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) done = server_post (fixture, "/publish", EVENT);
  g_autoptr (HttpAnswer) unroutable = NULL;
  g_autoptr (HttpAnswer) refused = NULL;
  g_autoptr (HttpAnswer) too_large = NULL;
  g_autoptr (HttpAnswer) invalid = NULL;

  assert_empty (done, 202);
  assert_calls (fixture, "event " EVENT "\npublished\n");

  fake_dispatcher_fail (fixture->dispatcher, "publish", AMPS_ERROR_UNROUTABLE, "no queue “t”");
  unroutable = server_post (fixture, "/publish", EVENT);
  assert_problem (unroutable, 404, "no queue");
  fake_dispatcher_fail (fixture->dispatcher, "publish", AMPS_ERROR_NOT_PERMITTED, "no permission");
  refused = server_post (fixture, "/publish", EVENT);
  assert_problem (refused, 403, "no permission");
  g_assert_nonnull (strstr (refused->body, "Refused by the broker"));
  fake_dispatcher_fail (fixture->dispatcher, "publish", AMPS_ERROR_TOO_LARGE, "max_message_size");
  too_large = server_post (fixture, "/publish", EVENT);
  assert_problem (too_large, 413, "max_message_size");
  fake_dispatcher_fail (fixture->dispatcher, "publish", AMPS_ERROR_INVALID_EVENT, "“source”");
  invalid = server_post (fixture, "/publish", EVENT);
  assert_problem (invalid, 400, "“source”");
}

static void
test_publish_modes (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/publish", fixture->port);
  g_autoptr (SoupMessage) batch = soup_message_new ("POST", uri);
  g_autoptr (SoupMessage) binary = soup_message_new ("POST", uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (binary);
  g_autoptr (HttpAnswer) batched = NULL;
  g_autoptr (HttpAnswer) bad = NULL;

  soup_message_headers_replace (soup_message_get_request_headers (batch), "Content-Type",
                                "application/cloudevents-batch+json");
  batched = http_send (fixture->session, batch, "[" EVENT "," EVENT "]");
  assert_empty (batched, 202);
  assert_calls (fixture, "event " EVENT "\nevent " EVENT "\npublished\n");

  soup_message_headers_append (headers, "ce-specversion", "1.0");
  soup_message_headers_append (headers, "ce-id", "7");
  soup_message_headers_append (headers, "ce-source", "/s");
  bad = http_send (fixture->session, binary, "{}");
  assert_problem (bad, 400, "type");
}

static HttpAnswer *
publish_packed (ServerFixture *fixture, const char *encoding, GBytes *body)
{
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/publish", fixture->port);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", uri);

  soup_message_headers_append (soup_message_get_request_headers (message), "Content-Encoding",
                               encoding);
  soup_message_set_request_body_from_bytes (message, NULL, body);
  return http_send (fixture->session, message, NULL);
}

/* It is unpacked in a thread, while the request waits. */
static void
test_publish_packed (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  guint8 packed[1000];
  gsize n_read, n_written;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GBytes) plain = g_bytes_new_static (EVENT, strlen (EVENT));
  g_autoptr (HttpAnswer) done = NULL;
  g_autoptr (HttpAnswer) not_packed = NULL;
  g_autoptr (HttpAnswer) unknown = NULL;

  g_assert_cmpint (g_converter_convert (compressor, EVENT, strlen (EVENT), packed, sizeof packed,
                                        G_CONVERTER_INPUT_AT_END, &n_read, &n_written, NULL),
                   ==, G_CONVERTER_FINISHED);
  body = g_bytes_new (packed, n_written);
  done = publish_packed (fixture, "gzip", body);
  assert_empty (done, 202);
  assert_calls (fixture, "event " EVENT "\npublished\n");

  not_packed = publish_packed (fixture, "gzip", plain);
  assert_problem (not_packed, 400, "gzip");
  unknown = publish_packed (fixture, "br", plain);
  assert_problem (unknown, 415, "“br”");
  assert_calls (fixture, "");
}

static void
test_heartbeat (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) never = server_post (fixture, "/heartbeat", "{\"identifier\":\"a\"}");
  g_autoptr (HttpAnswer) extended = NULL;
  g_autoptr (HttpAnswer) gone = NULL;
  g_autoptr (HttpAnswer) list = NULL;

  assert_json (never, 200);
  g_assert_cmpstr (never->body, ==, "{\"deadline\":null}");

  fake_dispatcher_set_deadline (fixture->dispatcher,
                                amps_clock_get_monotonic_time (fixture->clock) +
                                    AMPS_MILLISECONDS (61500));
  extended = server_post (fixture, "/heartbeat", "{\"identifier\":\"b\",\"extend\":\"90s\"}");
  assert_json (extended, 200);
  g_assert_cmpstr (extended->body, ==, "{\"deadline\":\"2026-01-01T00:01:02.500Z\"}");
  assert_calls (fixture, "heartbeat a 0\nheartbeat b 90000000\n");

  fake_dispatcher_fail (fixture->dispatcher, "c", AMPS_ERROR_NOT_FOUND, "stop");
  gone = server_post (fixture, "/heartbeat", "{\"identifier\":\"c\"}");
  assert_problem (gone, 404, "stop");
  list = server_post (fixture, "/heartbeat", "{\"identifiers\":[\"a\"]}");
  assert_problem (list, 400, "identifier");
}

static void
test_jobs (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) none = server_call (fixture, "GET", "/jobs", NULL);
  g_autoptr (HttpAnswer) limited = NULL;
  g_autoptr (HttpAnswer) one = NULL;
  g_autoptr (HttpAnswer) unknown = NULL;
  g_autoptr (HttpAnswer) no_text = NULL;
  g_autoptr (HttpAnswer) bad = NULL;

  assert_json (none, 200);
  g_assert_cmpstr (none->body, ==, "{\"count\":0,\"jobs\":[]}");

  fake_dispatcher_add_job (fixture->dispatcher, "a/b c");
  fake_dispatcher_add_job (fixture->dispatcher, "second");
  limited = server_call (fixture, "GET", "/jobs?limit=1", NULL);
  assert_contains (limited->body, "{\"count\":2,\"jobs\":[{\"id\":");
  g_assert_null (strstr (limited->body, "},{"));

  one = server_call (fixture, "GET", "/jobs/a%2Fb%20c", NULL);
  assert_json (one, 200);
  assert_contains (one->body, "{\"id\":\"a/b c\",\"source\":\"/tests\",\"type\":\"test.type\","
                              "\"state\":\"waiting\",\"attempt\":1,\"since\":");
  assert_contains (one->body, "\"deadline\":null,\"heartbeats\":0,\"last_heartbeat\":null}");

  unknown = server_call (fixture, "GET", "/jobs/nobody", NULL);
  assert_problem (unknown, 404, "nobody");
  no_text = server_call (fixture, "GET", "/jobs/%FF%FE", NULL);
  assert_problem (no_text, 404, "\xef\xbf\xbd");
  bad = server_call (fixture, "GET", "/jobs?limit=-1", NULL);
  assert_problem (bad, 400, "limit");
}

static void
test_health (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) alive = server_call (fixture, "GET", "/healthz", NULL);
  g_autoptr (HttpAnswer) unhealthy = server_call (fixture, "GET", "/health", NULL);
  g_autoptr (HttpAnswer) healthy = NULL;
  g_autoptr (HttpAnswer) details = NULL;
  g_autoptr (HttpAnswer) ready = NULL;
  g_autoptr (HttpAnswer) not_ready = NULL;

  assert_json (alive, 200);
  assert_json (unhealthy, 503);
  assert_contains (unhealthy->body, "\"status\":\"unhealthy\"");
  assert_contains (unhealthy->body, "\"connected\":false");

  fake_dispatcher_connect (fixture->dispatcher);
  fake_dispatcher_add_job (fixture->dispatcher, "a");
  fake_clock_advance (fixture->clock, AMPS_SECONDS (3723));
  healthy = server_call (fixture, "GET", "/health", NULL);
  assert_json (healthy, 200);
  g_assert_cmpstr (healthy->body, ==,
                   "{\"status\":\"healthy\",\"timestamp\":\"2026-01-01T01:02:04.000Z\","
                   "\"uptime\":\"1h2m3s\",\"broker_type\":\"amqp\",\"connected\":true,"
                   "\"job_count\":1}");

  details = server_call (fixture, "GET", "/health/detailed", NULL);
  assert_json (details, 200);
  assert_contains (details->body, "\"broker\":{\"state\":\"consuming\"");
  assert_contains (details->body, "\"jobs\":{\"count\":1");
  assert_contains (details->body, "\"broker_subject\":\"tests\"");

  ready = server_call (fixture, "GET", "/readyz", NULL);
  assert_json (ready, 200);
  fake_dispatcher_set_not_ready (fixture->dispatcher, "the queue is missing");
  not_ready = server_call (fixture, "GET", "/readyz", NULL);
  assert_json (not_ready, 503);
  assert_contains (not_ready->body, "\"details\":\"the queue is missing\"");
}

static void
test_routes (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    const char *method;
    const char *path;
    unsigned int status;
    const char *allow;
  } cases[] = {
    { "GET", "/acknowledge", 405, "POST" },
    { "PUT", "/reject", 405, "POST" },
    { "DELETE", "/publish", 405, "POST" },
    { "GET", "/heartbeat", 405, "POST" },
    { "POST", "/jobs", 405, "GET, HEAD" },
    { "POST", "/jobs/a", 405, "GET, HEAD" },
    { "PUT", "/drain", 405, "GET, HEAD, POST" },
    { "GET", "/pause", 405, "POST" },
    { "GET", "/resume", 405, "POST" },
    { "POST", "/healthz", 405, "GET, HEAD" },
    { "GET", "/concurrency", 405, "POST" },
    { "POST", "/readyz", 405, "GET, HEAD" },
    { "OPTIONS", "/health", 405, "GET, HEAD" },
    { "POST", "/nothing", 404, NULL },
    { "GET", "/jobs/", 404, NULL },
    { "GET", "/acknowledge/", 404, NULL },
    { "GET", "/metrics", 404, NULL },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HttpAnswer) answer = server_call (fixture, cases[i].method, cases[i].path, NULL);

      g_test_message ("%s %s", cases[i].method, cases[i].path);
      assert_problem (answer, cases[i].status, cases[i].path);
      g_assert_cmpstr (get_header (answer, "Allow"), ==, cases[i].allow);
    }
}

static void
test_head (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) answer = server_call (fixture, "HEAD", "/healthz", NULL);

  assert_empty (answer, 200);
}

static void
test_large (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  const char *request =
      "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20971520\r\n\r\n";
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  answer = raw_receive (socket, NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 "));
  assert_contains (answer, PROBLEM);
}

static HttpAnswer *
call_with (ServerFixture *fixture, const char *path, const char *header, const char *value)
{
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u%s", fixture->port, path);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);

  if (header != NULL)
    soup_message_headers_append (soup_message_get_request_headers (message), header, value);
  return http_send (fixture->session, message, NULL);
}

static void
test_token (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const wrong[] = {
    NULL,           "secret",         "Basic secret",  "Bearer ",
    "Bearer secre", "Bearer secrets", "Bearer Secret", "Bearer secretsecret"
  };
  g_autoptr (HttpAnswer) right = call_with (fixture, "/jobs", "Authorization", "Bearer secret");
  g_autoptr (HttpAnswer) lower = call_with (fixture, "/jobs", "Authorization", "bearer secret");
  g_autoptr (HttpAnswer) open = call_with (fixture, "/healthz", NULL, NULL);
  g_autoptr (HttpAnswer) details = call_with (fixture, "/health/detailed", NULL, NULL);

  assert_json (right, 200);
  assert_json (lower, 200);
  assert_json (open, 200);
  g_assert_null (strstr (details->body, "\"secret\""));

  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (HttpAnswer) answer =
          call_with (fixture, "/jobs", wrong[i] != NULL ? "Authorization" : NULL, wrong[i]);

      assert_problem (answer, 401, "API_TOKEN");
      g_assert_cmpstr (get_header (answer, "WWW-Authenticate"), ==, "Bearer realm=\"amps\"");
    }
}

static void
test_origin (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *own = g_strdup_printf ("http://127.0.0.1:%u", fixture->port);
  g_autoptr (HttpAnswer) foreign = call_with (fixture, "/jobs", "Origin", "http://evil.example");
  g_autoptr (HttpAnswer) same = call_with (fixture, "/jobs", "Origin", own);
  g_autoptr (HttpAnswer) open = call_with (fixture, "/healthz", "Origin", "http://evil.example");

  assert_problem (foreign, 403, "API_ALLOW_REMOTE");
  assert_json (same, 200);
  assert_json (open, 200);
}

static void
test_allow_remote (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) foreign = call_with (fixture, "/jobs", "Origin", "http://evil.example");

  assert_json (foreign, 200);
}

static void
test_metrics (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) metrics = NULL;
  g_autoptr (HttpAnswer) head = NULL;
  g_autoptr (HttpAnswer) wrong_method = NULL;
  g_autoptr (HttpAnswer) wrong_path = NULL;

  amps_metrics_increment (fixture->metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  metrics = http_call (fixture->session, "GET", fixture->metrics_port, "/metrics", NULL);
  g_assert_cmpuint (metrics->status, ==, 200);
  g_assert_cmpstr (get_header (metrics, "Content-Type"), ==,
                   "text/plain; version=0.0.4; charset=utf-8");
  assert_contains (metrics->body, "\namps_messages_inserted_total 1\n");

  head = http_call (fixture->session, "HEAD", fixture->metrics_port, "/metrics", NULL);
  assert_empty (head, 200);
  wrong_method = http_call (fixture->session, "POST", fixture->metrics_port, "/metrics", NULL);
  assert_problem (wrong_method, 405, "/metrics");
  wrong_path = http_call (fixture->session, "GET", fixture->metrics_port, "/jobs", NULL);
  assert_problem (wrong_path, 404, "/jobs");
}

static void
test_port_in_use (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsServer) second =
      amps_server_new (fixture->config, fixture->clock, fixture->dispatcher, fixture->metrics);
  g_autofree char *expected = g_strdup_printf ("PORT: cannot listen on port %u: ", fixture->port);
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_server_start (second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_true (g_str_has_prefix (error->message, expected));
}

#define ADD_WITH(name, function, setting)                                                          \
  g_test_add ("/server/" name, ServerFixture, setting, server_set_up, function, server_tear_down)
#define ADD(name, function) ADD_WITH (name, function, NULL)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("acknowledge", test_acknowledge);
  ADD ("reject", test_reject);
  ADD ("errors", test_errors);
  ADD ("bad-requests", test_bad_requests);
  ADD ("many", test_many);
  ADD ("acknowledge-publish", test_acknowledge_publish);
  ADD ("publish", test_publish);
  ADD ("publish-held", test_publish_held);
  ADD ("publish-modes", test_publish_modes);
  ADD ("publish-packed", test_publish_packed);
  ADD ("heartbeat", test_heartbeat);
  ADD ("jobs", test_jobs);
  ADD ("health", test_health);
  ADD ("routes", test_routes);
  ADD ("head", test_head);
  ADD ("large", test_large);
  ADD_WITH ("token", test_token, "API_TOKEN=secret");
  ADD ("origin", test_origin);
  ADD_WITH ("allow-remote", test_allow_remote, "API_ALLOW_REMOTE=true");
  ADD ("metrics", test_metrics);
  ADD ("port-in-use", test_port_in_use);
  return g_test_run ();
}
