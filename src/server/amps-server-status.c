/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-page.h"
#include "amps-reply.h"
#include "amps-server-private.h"
#include "base/amps-error.h"

#include <string.h>

/* What those who watch see of the jobs in flight: the oldest ones, and of a long text its
 * beginning. */
#define MAX_JOBS 50
#define MAX_TEXT 200

/* Of the latest samples: as many as a viewer may miss who reads slowly. */
#define RECENT_SAMPLES 6

/* The page may load nothing but its parts, and be part of nothing. */
#define POLICY                                                                                     \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "  \
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                                  \
  "require-trusted-types-for 'script'"

/* The page */

static const struct {
  const char *suffix;
  const char *type;
} types[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".svg", "image/svg+xml" },
};

static const char *
get_type (const char *name)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i].suffix))
      return types[i].type;
  g_return_val_if_reached ("application/octet-stream");
}

static void
add_page_headers (SoupMessageHeaders *headers)
{
  soup_message_headers_replace (headers, "Content-Security-Policy", POLICY);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (headers, "Cross-Origin-Opener-Policy", "same-origin");
  soup_message_headers_replace (headers, "Cross-Origin-Resource-Policy", "same-origin");
  /* Another AMPS may be at this address next. */
  soup_message_headers_replace (headers, "Cache-Control", "no-cache");
}

/* `GET /` and `GET /page/NAME`. There is nothing in them that is not in the source, so
 * everybody may have them: what they show comes by calls that not everybody may make. */
static void
server_show_page (AmpsServer *self G_GNUC_UNUSED, SoupServerMessage *message, const char *rest)
{
  const char *name = *rest != '\0' ? rest : "index.html";
  g_autofree char *path = g_strconcat ("/page/", name, NULL);
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (amps_page_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize length;
  const char *data;

  if (bytes == NULL)
    {
      g_autoptr (GError) error =
          g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "there is no “%s” here", path);

      amps_reply_error (message, error);
      return;
    }

  data = g_bytes_get_data (bytes, &length);
  add_page_headers (soup_server_message_get_response_headers (message));
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, get_type (name), SOUP_MEMORY_STATIC, data, length);
}

/* What is seen */

static void
server_status_add_broker (AmpsServer *self, JsonBuilder *look)
{
  const char *detail = amps_broker_get_state_detail (self->broker);

  json_builder_set_member_name (look, "broker");
  json_builder_begin_object (look);
  amps_reply_add_string (look, "type", amps_config_get_broker_type (self->config));
  amps_reply_add_string (look, "state",
                         amps_broker_state_to_string (amps_broker_get_state (self->broker)));
  if (detail != NULL)
    amps_reply_add_string (look, "detail", detail);
  amps_reply_add_boolean (look, "blocked", amps_broker_get_blocked (self->broker));
  json_builder_end_object (look);
}

static void
add_depth (AmpsServer *self, JsonBuilder *look, const char *name, const char *queue)
{
  const AmpsQueueDepths *depths = amps_metrics_get_queue_depths (self->metrics);
  guint64 n_messages;

  if (amps_queue_depths_get (depths, queue, &n_messages))
    amps_reply_add_int (look, name, (gint64) n_messages);
}

static void
add_queues (AmpsServer *self, JsonBuilder *look)
{
  const char *subject = amps_config_get_subject (self->config);
  g_autofree char *retries = g_strconcat (subject, ".retry", NULL);

  json_builder_set_member_name (look, "queues");
  json_builder_begin_object (look);
  add_depth (self, look, "waiting", subject);
  add_depth (self, look, "retrying", retries);
  if (amps_config_get_dead_letter_mode (self->config) == AMPS_DEAD_LETTER_MODE_QUEUE)
    {
      amps_reply_add_string (look, "dead_letter_queue",
                             amps_config_get_dead_letter_queue (self->config));
      add_depth (self, look, "dead", amps_config_get_dead_letter_queue (self->config));
    }
  json_builder_end_object (look);
}

static const char *
server_status_get_workload_state (AmpsServer *self)
{
  if (amps_consumer_gate_is_paused (self->gate, AMPS_PAUSE_WORKLOAD))
    return "unavailable";
  return amps_consumer_gate_is_paused (self->gate, AMPS_PAUSE_REFUSED) ? "refusing" : "available";
}

static void
add_workload (AmpsServer *self, JsonBuilder *look)
{
  json_builder_set_member_name (look, "workload");
  json_builder_begin_object (look);
  amps_reply_add_string (look, "state", server_status_get_workload_state (self));
  amps_reply_add_int (look, "jobs", amps_manifest_get_n_in_workload (self->manifest));
  amps_reply_add_int (
      look, "limit", (gint64) amps_metrics_get_gauge (self->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT));
  json_builder_end_object (look);
}

static void
add_totals (AmpsServer *self, JsonBuilder *look)
{
  json_builder_set_member_name (look, "totals");
  json_builder_begin_object (look);
  for (AmpsOutcome i = AMPS_OUTCOME_NONE + 1; i < AMPS_N_OUTCOMES; i++)
    amps_reply_add_int (look, amps_outcome_to_string (i),
                        (gint64) amps_metrics_get_outcomes (self->metrics, i));
  amps_reply_add_int (
      look, "received",
      (gint64) amps_metrics_get_counter (self->metrics, AMPS_COUNTER_MESSAGES_INSERTED));
  json_builder_end_object (look);
}

static void
server_status_add_jobs (AmpsServer *self, JsonBuilder *look)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list_after (self->manifest, 0, MAX_JOBS);

  amps_reply_add_int (look, "in_flight", amps_manifest_get_n_jobs (self->manifest));
  json_builder_set_member_name (look, "jobs");
  json_builder_begin_array (look);
  for (unsigned int i = 0; i < jobs->len; i++)
    amps_server_add_job (self, look, g_ptr_array_index (jobs, i), MAX_TEXT);
  json_builder_end_array (look);
}

static void
add_failure (AmpsServer *self, JsonBuilder *look, const AmpsFailure *failure)
{
  json_builder_begin_object (look);
  json_builder_set_member_name (look, "time");
  amps_server_add_time (self, look, failure->time);
  if (failure->id != NULL)
    amps_server_add_text (look, "id", failure->id, MAX_TEXT);
  amps_reply_add_string (look, "outcome", amps_outcome_to_string (failure->outcome));
  amps_reply_add_int (look, "attempt", failure->attempt);
  amps_reply_add_string (look, "reason", failure->reason);
  if (failure->detail != NULL)
    amps_reply_add_string (look, "detail", failure->detail);
  json_builder_end_object (look);
}

static void
add_failures (AmpsServer *self, JsonBuilder *look)
{
  AmpsFailures *failures = amps_manifest_get_failures (self->manifest);
  const AmpsFailure *failure;

  json_builder_set_member_name (look, "failures");
  json_builder_begin_array (look);
  for (unsigned int n = 0; (failure = amps_failures_get (failures, n)) != NULL; n++)
    add_failure (self, look, failure);
  json_builder_end_array (look);
}

static void
add_obstacles (AmpsServer *self, JsonBuilder *look)
{
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (self->gate);

  json_builder_set_member_name (look, "obstacles");
  json_builder_begin_array (look);
  for (char **obstacle = obstacles; *obstacle != NULL; obstacle++)
    json_builder_add_string_value (look, *obstacle);
  json_builder_end_array (look);
}

static void
add_look (AmpsServer *self, JsonBuilder *look)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  json_builder_set_member_name (look, "time");
  amps_server_add_time (self, look, now);
  amps_reply_add_string (look, "version", AMPS_VERSION);
  amps_reply_add_string (look, "worker", amps_config_get_worker_id (self->config));
  amps_reply_add_string (look, "queue", amps_config_get_subject (self->config));
  amps_reply_add_int (look, "uptime", (now - self->created) / G_USEC_PER_SEC);
  amps_reply_add_string (look, "state", amps_lifecycle_get_state (self->lifecycle));
  amps_reply_add_boolean (look, "ready", amps_consumer_gate_is_ready (self->gate));
  add_obstacles (self, look);
  server_status_add_broker (self, look);
  add_queues (self, look);
  add_workload (self, look);
  add_totals (self, look);
  server_status_add_jobs (self, look);
  add_failures (self, look);
}

/* One event: JSON has no line ends that would end it early. */
static GBytes *
server_status_format_event (const char *name, const char *json)
{
  char *text = g_strdup_printf ("event: %s\ndata: %s\n\n", name, json);

  return g_bytes_new_take (text, strlen (text));
}

static GBytes *
greet (gpointer user_data)
{
  AmpsServer *self = user_data;
  g_autoptr (GString) samples = g_string_new (NULL);

  amps_status_history_append (self->history, samples, AMPS_STATUS_HISTORY_MAX);
  return server_status_format_event ("history", samples->str);
}

static GBytes *
server_status_look (gpointer user_data)
{
  AmpsServer *self = user_data;
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (GString) samples = g_string_new (NULL);
  g_autofree char *json = NULL;
  g_autofree char *whole = NULL;
  gsize length;

  json_builder_begin_object (builder);
  add_look (self, builder);
  json_builder_end_object (builder);
  json = amps_reply_format_json (builder, &length);

  /* They are JSON already. */
  amps_status_history_append (self->history, samples, RECENT_SAMPLES);
  whole = g_strdup_printf ("%.*s,\"samples\":%s}", (int) length - 1, json, samples->str);
  return server_status_format_event ("status", whole);
}

/**
 * amps_server_begin_status:
 * @self: a server
 *
 * Keeps a history from now on, and waits for viewers.
 */
void
amps_server_begin_status (AmpsServer *self)
{
  static const AmpsStatusStreamFuncs funcs = { greet, server_status_look };

  self->history = amps_status_history_new (self->clock, self->metrics);
  self->stream = amps_status_stream_new (self->clock, self->api, &funcs, self);
}

/* `GET /events` */
static void
server_watch (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  if (!amps_status_stream_add (self->stream, message, &error))
    amps_reply_error (message, error);
}

const AmpsRoute amps_server_status_routes[] = {
  { "/events", AMPS_METHOD_GET, FALSE, server_watch, AMPS_API_EVENTS },
  { "/", AMPS_METHOD_GET, TRUE, server_show_page, AMPS_API_PAGE },
  { "/page/", AMPS_METHOD_GET, TRUE, server_show_page, AMPS_API_PAGE },
  { NULL },
};
