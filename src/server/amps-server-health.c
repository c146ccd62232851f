/* SPDX-License-Identifier: MIT */
#include "amps-reply.h"
#include "amps-server-private.h"

/* The names, and what their values look like, are the first AMPS's, whose
 * users have probes and dashboards that read them. */

static gboolean
server_health_is_connected (AmpsServer *self)
{
  return amps_broker_get_state (self->broker) != AMPS_BROKER_DISCONNECTED;
}

static unsigned int
get_n_jobs (AmpsServer *self)
{
  return amps_manifest_get_n_jobs (self->manifest);
}

static gint64
get_uptime (AmpsServer *self)
{
  return (amps_clock_get_monotonic_time (self->clock) - self->created) / G_USEC_PER_SEC;
}

/* As Go writes a duration. */
static char *
format_uptime (gint64 seconds)
{
  int rest = (int) (seconds % 60);
  int minutes = (int) (seconds / 60 % 60);
  gint64 hours = seconds / 3600;

  if (hours > 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT "h%dm%ds", hours, minutes, rest);
  return minutes > 0 ? g_strdup_printf ("%dm%ds", minutes, rest) : g_strdup_printf ("%ds", rest);
}

static void
add_status (AmpsServer *self, JsonBuilder *answer, const char *status)
{
  g_autofree char *uptime = format_uptime (get_uptime (self));

  amps_reply_add_string (answer, "status", status);
  json_builder_set_member_name (answer, "timestamp");
  amps_server_add_time (self, answer, amps_clock_get_monotonic_time (self->clock));
  amps_reply_add_string (answer, "uptime", uptime);
  amps_reply_add_string (answer, "broker_type", amps_config_get_broker_type (self->config));
  amps_reply_add_boolean (answer, "connected", server_health_is_connected (self));
  amps_reply_add_int (answer, "job_count", get_n_jobs (self));
}

static void
reply_status (AmpsServer *self, SoupServerMessage *message, unsigned int code, const char *status,
              const char *details)
{
  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();

  json_builder_begin_object (answer);
  add_status (self, answer, status);
  if (details != NULL)
    amps_reply_add_string (answer, "details", details);
  json_builder_end_object (answer);
  amps_reply_json (message, code, answer);
}

/* `GET /healthz`. A main loop that is stuck cannot answer at all, and nothing
 * else is a reason to restart AMPS. */
static void
server_show_alive (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  reply_status (self, message, SOUP_STATUS_OK, "healthy", NULL);
}

/* `GET /readyz` */
static void
server_show_ready (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (self->gate);
  g_autofree char *details = g_strjoinv ("; ", obstacles);

  if (amps_consumer_gate_is_ready (self->gate))
    reply_status (self, message, SOUP_STATUS_OK, "ready", NULL);
  else
    reply_status (self, message, SOUP_STATUS_SERVICE_UNAVAILABLE, "not ready", details);
}

static const char *
get_broker_detail (AmpsServer *self)
{
  return amps_broker_get_state_detail (self->broker);
}

/* `GET /health` */
static void
server_show_health (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  if (server_health_is_connected (self))
    reply_status (self, message, SOUP_STATUS_OK, "healthy", NULL);
  else
    reply_status (self, message, SOUP_STATUS_SERVICE_UNAVAILABLE, "unhealthy",
                  get_broker_detail (self));
}

static void
server_health_add_broker (AmpsServer *self, JsonBuilder *answer)
{
  json_builder_set_member_name (answer, "broker");
  json_builder_begin_object (answer);
  amps_reply_add_string (answer, "state",
                         amps_broker_state_to_string (amps_broker_get_state (self->broker)));
  if (get_broker_detail (self) != NULL)
    amps_reply_add_string (answer, "detail", get_broker_detail (self));
  amps_reply_add_boolean (answer, "blocked", amps_broker_get_blocked (self->broker));
  amps_reply_add_int (
      answer, "reconnects",
      (gint64) amps_metrics_get_counter (self->metrics, AMPS_COUNTER_BROKER_RECONNECTS));
  json_builder_end_object (answer);
}

static void
server_health_add_jobs (AmpsServer *self, JsonBuilder *answer)
{
  json_builder_set_member_name (answer, "jobs");
  json_builder_begin_object (answer);
  amps_reply_add_int (answer, "count", get_n_jobs (self));
  amps_reply_add_int (answer, "in_workload", amps_manifest_get_n_in_workload (self->manifest));
  amps_reply_add_int (
      answer, "max_concurrency",
      (gint64) amps_metrics_get_gauge (self->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT));
  json_builder_end_object (answer);
}

static void
add_setting (const char *name, const char *redacted, gpointer user_data)
{
  g_autofree char *member = g_ascii_strdown (name, -1);

  amps_reply_add_string (user_data, member, redacted);
}

static void
add_config (AmpsServer *self, JsonBuilder *answer)
{
  json_builder_set_member_name (answer, "config");
  json_builder_begin_object (answer);
  amps_config_foreach (self->config, add_setting, answer);
  json_builder_end_object (answer);
}

/* `GET /health/detailed` */
static void
server_show_details (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();
  gboolean connected = server_health_is_connected (self);

  json_builder_begin_object (answer);
  add_status (self, answer, connected ? "healthy" : "unhealthy");
  amps_reply_add_int (answer, "uptime_seconds", get_uptime (self));
  amps_reply_add_boolean (answer, "ready", amps_consumer_gate_is_ready (self->gate));
  amps_reply_add_string (answer, "state", amps_lifecycle_get_state (self->lifecycle));
  server_health_add_broker (self, answer);
  server_health_add_jobs (self, answer);
  add_config (self, answer);
  json_builder_end_object (answer);
  amps_reply_json (message, connected ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE, answer);
}

const AmpsRoute amps_server_health_routes[] = {
  { "/healthz", AMPS_METHOD_GET, TRUE, server_show_alive, AMPS_API_HEALTHZ },
  { "/readyz", AMPS_METHOD_GET, TRUE, server_show_ready, AMPS_API_READYZ },
  { "/health", AMPS_METHOD_GET, TRUE, server_show_health, AMPS_API_HEALTH },
  { "/health/detailed", AMPS_METHOD_GET, TRUE, server_show_details, AMPS_API_HEALTH_DETAILED },
  { NULL },
};
