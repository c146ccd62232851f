/* SPDX-License-Identifier: MIT */
#include "amps-http-body.h"
#include "amps-reply.h"
#include "amps-request.h"
#include "amps-server-private.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "event/amps-gzip.h"
#include "event/amps-trace-headers.h"
#include "http/amps-http-event.h"

#define MULTI_STATUS 207

/* A request that is answered when the broker has confirmed something. */
typedef struct {
  AmpsServer *server;         /* (owned) */
  SoupServerMessage *message; /* (owned) */
} Pending;

/* What one identifier of a request asks of the decider. */
typedef gboolean (*Settle) (AmpsServer *self, const AmpsRequest *request, const char *identifier,
                            GError **error);

static Pending *
pending_new (AmpsServer *self, SoupServerMessage *message)
{
  Pending *pending = g_new (Pending, 1);

  pending->server = g_object_ref (self);
  pending->message = g_object_ref (message);
  amps_http_listener_pause (self->api, message);
  return pending;
}

static void
pending_answer (Pending *pending, const GError *error)
{
  if (error != NULL)
    amps_reply_error (pending->message, error);
  else
    amps_reply_status (pending->message, SOUP_STATUS_ACCEPTED);

  amps_http_listener_unpause (pending->server->api, pending->message);
  g_object_unref (pending->message);
  g_object_unref (pending->server);
  g_free (pending);
}

/* Returns: (nullable): where in a trace the caller is */
static AmpsTraceHeaders *
read_trace (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *parent = soup_message_headers_get_one (headers, "traceparent");

  return parent != NULL ? amps_trace_headers_read (
                              parent, soup_message_headers_get_list (headers, "tracestate"))
                        : NULL;
}

static AmpsRequest *
parse_request (AmpsServer *self, SoupServerMessage *message)
{
  g_autoptr (GBytes) body = amps_http_body_take (message);
  g_autoptr (GError) error = NULL;
  AmpsRequest *request =
      amps_request_parse (body, amps_config_get_event_validation (self->config), &error);

  if (request == NULL)
    amps_reply_error (message, error);
  return request;
}

static void
add_result (JsonBuilder *results, const char *identifier, const GError *error)
{
  unsigned int status = SOUP_STATUS_ACCEPTED;

  json_builder_begin_object (results);
  amps_reply_add_string (results, "identifier", identifier);
  if (error != NULL)
    {
      g_autofree char *detail = amps_foreign_text_dup (error->message, -1);

      amps_reply_add_string (results, "title", amps_reply_get_title (error, &status));
      amps_reply_add_string (results, "detail", detail);
    }
  amps_reply_add_int (results, "status", status);
  json_builder_end_object (results);
}

static void
settle_list (AmpsServer *self, SoupServerMessage *message, const AmpsRequest *request,
             Settle settle)
{
  g_autoptr (JsonBuilder) results = json_builder_new_immutable ();
  gboolean all_well = TRUE;

  json_builder_begin_array (results);
  for (unsigned int i = 0; i < request->identifiers->len; i++)
    {
      const char *identifier = g_ptr_array_index (request->identifiers, i);
      g_autoptr (GError) error = NULL;

      if (!settle (self, request, identifier, &error))
        all_well = FALSE;
      add_result (results, identifier, error);
    }
  json_builder_end_array (results);

  if (all_well)
    amps_reply_status (message, SOUP_STATUS_ACCEPTED);
  else
    amps_reply_json (message, MULTI_STATUS, results);
}

static void
settle_all (AmpsServer *self, SoupServerMessage *message, const AmpsRequest *request, Settle settle)
{
  g_autoptr (GError) error = NULL;

  if (request->is_list)
    settle_list (self, message, request, settle);
  else if (settle (self, request, g_ptr_array_index (request->identifiers, 0), &error))
    amps_reply_status (message, SOUP_STATUS_ACCEPTED);
  else
    amps_reply_error (message, error);
}

static gboolean
acknowledge_one (AmpsServer *self, const AmpsRequest *request, const char *identifier,
                 GError **error)
{
  if (request->reschedule)
    return amps_decider_reschedule (self->decider, identifier, request->delay, error);
  return amps_decider_acknowledge (self->decider, identifier, error);
}

static gboolean
reject_one (AmpsServer *self, const AmpsRequest *request, const char *identifier, GError **error)
{
  if (request->reschedule)
    return amps_decider_reschedule (self->decider, identifier, request->delay, error);
  return amps_decider_reject (self->decider, identifier, request->reason, error);
}

static void
on_acknowledged (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  amps_decider_acknowledge_finish (AMPS_DECIDER (source), result, &error);
  pending_answer (user_data, error);
}

/* `POST /acknowledge` */
static void
server_acknowledge (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (AmpsRequest) request = parse_request (self, message);
  g_autoptr (AmpsTraceHeaders) trace = NULL;

  if (request == NULL)
    return;
  if (request->publish == NULL)
    {
      settle_all (self, message, request, acknowledge_one);
      return;
    }

  trace = read_trace (message);
  amps_decider_acknowledge_async (self->decider, g_ptr_array_index (request->identifiers, 0),
                                  request->publish, trace, NULL, on_acknowledged,
                                  pending_new (self, message));
}

/* `POST /reject` */
static void
server_reject (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (AmpsRequest) request = parse_request (self, message);
  g_autoptr (GError) error = NULL;

  if (request == NULL)
    return;
  if (request->publish == NULL)
    {
      settle_all (self, message, request, reject_one);
      return;
    }

  g_set_error_literal (&error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                       "“publish” goes with /acknowledge only");
  amps_reply_error (message, error);
}

/* `POST /heartbeat` */
static void
server_heartbeat (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (AmpsRequest) request = parse_request (self, message);
  g_autoptr (JsonBuilder) answer = NULL;
  g_autoptr (GError) error = NULL;
  gint64 deadline = 0;

  if (request == NULL)
    return;
  if (request->is_list)
    g_set_error_literal (&error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                         "a heartbeat is for one “identifier”");
  else
    amps_decider_heartbeat (self->decider, g_ptr_array_index (request->identifiers, 0),
                            request->extend, &deadline, &error);
  if (error != NULL)
    {
      amps_reply_error (message, error);
      return;
    }

  answer = json_builder_new_immutable ();
  json_builder_begin_object (answer);
  json_builder_set_member_name (answer, "deadline");
  amps_server_add_time (self, answer, deadline);
  json_builder_end_object (answer);
  amps_reply_json (message, SOUP_STATUS_OK, answer);
}

static void
server_callbacks_on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  amps_publisher_publish_finish (AMPS_PUBLISHER (source), result, &error);
  pending_answer (user_data, error);
}

/* @pending: (nullable): the request, if it was paused already */
static void
publish_body (AmpsServer *self, SoupServerMessage *message, GBytes *body, Pending *pending)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) events =
      amps_http_event_parse (soup_server_message_get_request_headers (message), body,
                             amps_config_get_event_validation (self->config), &error);
  g_autoptr (AmpsTraceHeaders) trace = read_trace (message);

  if (events == NULL)
    amps_metrics_count_publication (self->metrics, AMPS_PUBLICATION_INVALID);

  if (events == NULL && pending != NULL)
    pending_answer (pending, error);
  else if (events == NULL)
    amps_reply_error (message, error);
  else
    amps_publisher_publish_async (self->publisher, events, trace, NULL, NULL,
                                  server_callbacks_on_published,
                                  pending != NULL ? pending : pending_new (self, message));
}

static void
server_callbacks_on_unpacked (GObject *source G_GNUC_UNUSED, GAsyncResult *result,
                              gpointer user_data)
{
  Pending *pending = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = amps_gzip_decode_finish (result, &error);

  if (body != NULL && amps_http_listener_charge (pending->server->api, pending->message,
                                                 g_bytes_get_size (body), &error))
    publish_body (pending->server, pending->message, body, pending);
  else
    pending_answer (pending, error);
}

/* `POST /publish` */
static void
server_publish (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = amps_http_body_take (message);
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *encoding = soup_message_headers_get_list (headers, "Content-Encoding");
  g_autoptr (GError) error = NULL;
  gboolean is_gzip;

  if (!amps_gzip_check_encoding (encoding, &is_gzip, &error))
    amps_reply_error (message, error);
  else if (is_gzip)
    amps_gzip_decode_async (body, amps_config_get_max_body_size (self->config),
                            server_callbacks_on_unpacked, pending_new (self, message));
  else
    publish_body (self, message, body, NULL);
}

const AmpsRoute amps_server_callback_routes[] = {
  { "/acknowledge", AMPS_METHOD_POST, FALSE, server_acknowledge, AMPS_API_ACKNOWLEDGE },
  { "/reject", AMPS_METHOD_POST, FALSE, server_reject, AMPS_API_REJECT },
  { "/heartbeat", AMPS_METHOD_POST, FALSE, server_heartbeat, AMPS_API_HEARTBEAT },
  { "/publish", AMPS_METHOD_POST, FALSE, server_publish, AMPS_API_PUBLISH },
  { NULL },
};
