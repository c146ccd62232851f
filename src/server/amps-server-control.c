/* SPDX-License-Identifier: MIT */
#include "amps-http-body.h"
#include "amps-reply.h"
#include "amps-server-private.h"
#include "base/amps-error.h"
#include "base/amps-log.h"
#include "base/amps-parse.h"
#include "event/amps-json-members.h"

/* How often a waiting drain looks whether the last job has ended. */
#define DRAIN_CHECK_INTERVAL AMPS_MILLISECONDS (100)
#define MAX_DRAIN_WAIT AMPS_SECONDS (24 * 3600)

typedef struct {
  AmpsServer *server;         /* (owned) */
  SoupServerMessage *message; /* (owned) */
  GSource *timer;             /* (owned) */
  gint64 give_up;             /* monotonic µs */
} Drain;

static unsigned int
get_in_flight (AmpsServer *self)
{
  return amps_manifest_get_n_jobs (self->manifest);
}

static void
reply_state (AmpsServer *self, SoupServerMessage *message, unsigned int status)
{
  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();

  json_builder_begin_object (answer);
  amps_reply_add_string (answer, "state", amps_lifecycle_get_state (self->lifecycle));
  amps_reply_add_int (answer, "in_flight", get_in_flight (self));
  json_builder_end_object (answer);
  amps_reply_json (message, status, answer);
}

static void
reply_drain (AmpsServer *self, SoupServerMessage *message)
{
  reply_state (self, message, get_in_flight (self) == 0 ? SOUP_STATUS_OK : SOUP_STATUS_ACCEPTED);
}

static void
drain_free (gpointer data)
{
  Drain *drain = data;

  g_source_unref (drain->timer);
  g_object_unref (drain->message);
  g_object_unref (drain->server);
  g_free (drain);
}

static gboolean
on_drain_check (gpointer user_data)
{
  Drain *drain = user_data;
  AmpsServer *self = drain->server;
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  if (get_in_flight (self) > 0 && now < drain->give_up)
    {
      amps_timer_set_due (drain->timer, MIN (now + DRAIN_CHECK_INTERVAL, drain->give_up));
      return G_SOURCE_CONTINUE;
    }

  reply_drain (self, drain->message);
  amps_http_listener_unpause (self->api, drain->message);
  return G_SOURCE_REMOVE;
}

static void
wait_for_drain (AmpsServer *self, SoupServerMessage *message, gint64 wait)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  Drain *drain = g_new0 (Drain, 1);

  drain->server = g_object_ref (self);
  drain->message = g_object_ref (message);
  drain->give_up = now + wait;
  drain->timer = amps_clock_create_timer (self->clock, "amps-server-drain");
  g_source_set_callback (drain->timer, on_drain_check, drain, drain_free);
  amps_timer_set_due (drain->timer, now);
  g_source_attach (drain->timer, NULL);
  amps_http_listener_pause (self->api, message);
}

/* Returns: whether the request makes sense */
static gboolean
get_wait (AmpsServer *self, SoupServerMessage *message, gint64 *wait)
{
  g_autofree char *text = amps_server_get_query (message, "wait");

  *wait = 0;
  if (text == NULL)
    return TRUE;
  if (text[0] == '\0')
    {
      *wait = amps_config_get_drain_timeout (self->config);
      return TRUE;
    }
  return amps_parse_duration (text, wait, NULL) && *wait >= 0 && *wait <= MAX_DRAIN_WAIT;
}

/* `GET` or `POST /drain` */
static void
server_drain (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  gint64 wait;

  if (!get_wait (self, message, &wait))
    {
      g_autoptr (GError) error =
          g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                               "“wait” must be a duration such as “25s”, up to a day");

      amps_reply_error (message, error);
      return;
    }

  amps_lifecycle_drain (self->lifecycle);
  if (wait > 0 && get_in_flight (self) > 0)
    wait_for_drain (self, message, wait);
  else
    reply_drain (self, message);
}

/* `POST /pause` */
static void
server_pause (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  amps_lifecycle_pause (self->lifecycle);
  reply_state (self, message, SOUP_STATUS_OK);
}

/* `POST /resume` */
static void
server_resume (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  if (amps_lifecycle_resume (self->lifecycle, &error))
    reply_state (self, message, SOUP_STATUS_OK);
  else
    amps_reply_error (message, error);
}

/* Returns: whether @body is `{"limit":N}` */
static gboolean
read_limit (GBytes *body, unsigned int *limit, GError **error)
{
  static const char *const names[] = { "limit" };
  AmpsJsonScanner scanner;
  AmpsJsonValue value;
  gsize length;
  const char *json = g_bytes_get_data (body, &length);
  guint64 number;

  amps_json_scanner_init (&scanner, json, length);
  if (!amps_json_members_read (&scanner, 0, names, &value, 1) ||
      !amps_json_scanner_finish (&scanner))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                   "the body must be a JSON object: %s at byte %" G_GSIZE_FORMAT, scanner.problem,
                   amps_json_scanner_get_offset (&scanner));
      return FALSE;
    }

  g_autofree char *text = value.kind == AMPS_JSON_NUMBER
                              ? g_strndup (value.start, (gsize) (value.end - value.start))
                              : NULL;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &number, NULL))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                   "“limit” must be a number from 1 to %d", G_MAXUINT16);
      return FALSE;
    }

  *limit = (unsigned int) number;
  return TRUE;
}

/* `POST /concurrency` */
static void
server_set_concurrency (AmpsServer *self, SoupServerMessage *message,
                        const char *rest G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = amps_http_body_take (message);
  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();
  g_autoptr (GError) error = NULL;
  unsigned int limit;

  if (!read_limit (body, &limit, &error))
    {
      amps_reply_error (message, error);
      return;
    }

  amps_log (INFO, CONCURRENCY_CHANGED, "Up to %u jobs may be in the workload now", limit);
  amps_dispatcher_set_max_concurrency (self->dispatcher, limit);
  json_builder_begin_object (answer);
  amps_reply_add_int (answer, "limit", limit);
  json_builder_end_object (answer);
  amps_reply_json (message, SOUP_STATUS_OK, answer);
}

const AmpsRoute amps_server_control_routes[] = {
  { "/drain", AMPS_METHOD_GET | AMPS_METHOD_POST, FALSE, server_drain, AMPS_API_DRAIN },
  { "/pause", AMPS_METHOD_POST, FALSE, server_pause, AMPS_API_PAUSE },
  { "/resume", AMPS_METHOD_POST, FALSE, server_resume, AMPS_API_RESUME },
  { "/concurrency", AMPS_METHOD_POST, FALSE, server_set_concurrency, AMPS_API_CONCURRENCY },
  { NULL },
};
