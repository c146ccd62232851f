/* SPDX-License-Identifier: MIT */
#include "amps-server.h"

#include "amps-access.h"
#include "amps-metrics-accept.h"
#include "amps-reply.h"
#include "amps-server-private.h"
#include "base/amps-error.h"

#include <string.h>

#define API_CONNECTIONS 1024
#define METRICS_CONNECTIONS 64
#define METRICS_BODY_SIZE 0
#define METRICS_PATH "/metrics"

G_DEFINE_FINAL_TYPE (AmpsServer, amps_server, G_TYPE_OBJECT)

/* Those that each job calls come first. */
static const AmpsRoute *const tables[] = {
  amps_server_callback_routes, amps_server_job_routes,    amps_server_control_routes,
  amps_server_health_routes,   amps_server_status_routes, amps_server_dead_letter_routes,
};

static gboolean
server_matches (const char *route, const char *path)
{
  size_t length = strlen (route);

  if (length == 1 || route[length - 1] != '/')
    return strcmp (path, route) == 0;
  return strncmp (path, route, length) == 0 && path[length] != '\0';
}

static const AmpsRoute *
find_route (const char *path)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const AmpsRoute *route = tables[i]; route->path != NULL; route++)
      if (server_matches (route->path, path))
        return route;
  return NULL;
}

static gboolean
is_allowed (AmpsMethods methods, const char *method)
{
  if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    return (methods & AMPS_METHOD_GET) != 0;
  return method == SOUP_METHOD_POST && (methods & AMPS_METHOD_POST) != 0;
}

static const char *
format_methods (AmpsMethods methods)
{
  static const char *const allow[] = {
    [AMPS_METHOD_GET] = "GET, HEAD",
    [AMPS_METHOD_POST] = "POST",
    [AMPS_METHOD_GET | AMPS_METHOD_POST] = "GET, HEAD, POST",
  };

  return allow[methods];
}

/* A body that nobody will look at shall not take memory. */
static void
server_refuse (SoupServerMessage *message, const GError *error)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  amps_reply_error (message, error);
}

static void
refuse_path (SoupServerMessage *message, const char *path)
{
  g_autoptr (GError) error =
      g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "there is no “%s” here", path);

  server_refuse (message, error);
}

static void
refuse_method (SoupServerMessage *message, const char *path, AmpsMethods methods)
{
  g_autoptr (GError) error = g_error_new (AMPS_ERROR, AMPS_ERROR_METHOD_NOT_ALLOWED,
                                          "“%s” takes only %s", path, format_methods (methods));

  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow",
                                format_methods (methods));
  server_refuse (message, error);
}

static void
check_api_request (SoupServerMessage *message, const char *path, gpointer user_data)
{
  AmpsServer *self = user_data;
  const AmpsRoute *route = find_route (path);
  g_autoptr (GError) error = NULL;

  if (route == NULL)
    refuse_path (message, path);
  else if (!is_allowed (route->methods, soup_server_message_get_method (message)))
    refuse_method (message, path, route->methods);
  else if (!route->open && !amps_access_check (self->config, message, &error))
    server_refuse (message, error);
}

static void
handle_api_request (SoupServerMessage *message, const char *path, gpointer user_data)
{
  const AmpsRoute *route = find_route (path);

  route->handler (user_data, message, path + strlen (route->path));
}

static void
count_api_request (SoupServerMessage *message, unsigned int status, gpointer user_data)
{
  AmpsServer *self = user_data;
  GUri *uri = message != NULL ? soup_server_message_get_uri (message) : NULL;
  const AmpsRoute *route = uri != NULL ? find_route (g_uri_get_path (uri)) : NULL;

  amps_metrics_count_api_request (self->metrics, route != NULL ? route->call : AMPS_API_OTHER,
                                  status);
}

static void
check_metrics_request (SoupServerMessage *message, const char *path,
                       gpointer user_data G_GNUC_UNUSED)
{
  if (strcmp (path, METRICS_PATH) != 0)
    refuse_path (message, path);
  else if (!is_allowed (AMPS_METHOD_GET, soup_server_message_get_method (message)))
    refuse_method (message, path, AMPS_METHOD_GET);
}

/* Monotonic µs: since when the oldest job in flight has been here; @now without one. A
 * run may be older than the delivery that it is attached to. */
static gint64
find_oldest (AmpsServer *self, gint64 now)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);
  gint64 oldest = now;

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);
      gint64 began = amps_job_get_began (job);

      oldest = MIN (oldest, amps_job_get_delivery (job)->received);
      if (began != 0)
        oldest = MIN (oldest, began);
    }

  return oldest;
}

/* What need not be known before somebody asks. */
static void
update_gauges (AmpsServer *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  double age = (double) (now - find_oldest (self, now)) / G_USEC_PER_SEC;

  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_OLDEST_JOB_AGE, age);
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_READY,
                          amps_consumer_gate_is_ready (self->gate));
}

static void
handle_metrics_request (SoupServerMessage *message, const char *path G_GNUC_UNUSED,
                        gpointer user_data)
{
  AmpsServer *self = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  AmpsMetricsFormat format =
      amps_metrics_accept_choose (soup_message_headers_get_list (headers, "Accept"));
  char *text;

  update_gauges (self);
  text = amps_metrics_format (self->metrics, format);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Vary",
                                "Accept");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, amps_metrics_accept_get_content_type (format),
                                    SOUP_MEMORY_TAKE, text, strlen (text));
}

static void
amps_server_dispose (GObject *object)
{
  AmpsServer *self = AMPS_SERVER (object);

  amps_server_forget_listings (self);
  g_clear_pointer (&self->stream, amps_status_stream_free);
  g_clear_pointer (&self->history, amps_status_history_free);
  g_clear_object (&self->api);
  g_clear_object (&self->metrics_port);

  G_OBJECT_CLASS (amps_server_parent_class)->dispose (object);
}

static void
amps_server_finalize (GObject *object)
{
  AmpsServer *self = AMPS_SERVER (object);

  g_object_unref (self->config);
  g_object_unref (self->clock);
  g_object_unref (self->broker);
  g_object_unref (self->manifest);
  g_object_unref (self->publisher);
  g_object_unref (self->decider);
  g_object_unref (self->gate);
  g_object_unref (self->lifecycle);
  g_object_unref (self->dispatcher);
  g_object_unref (self->metrics);

  G_OBJECT_CLASS (amps_server_parent_class)->finalize (object);
}

static void
amps_server_class_init (AmpsServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_server_dispose;
  object_class->finalize = amps_server_finalize;
}

static void
amps_server_init (AmpsServer *self G_GNUC_UNUSED)
{
}

/**
 * amps_server_new:
 * @config: the settings
 * @clock: the time
 * @dispatcher: whose parts calls of the API are passed to
 * @metrics: the figures that are served
 *
 * Returns: (transfer full): the job API, health and metrics; not listening yet
 */
AmpsServer *
amps_server_new (AmpsConfig *config, AmpsClock *clock, AmpsDispatcher *dispatcher,
                 AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_DISPATCHER (dispatcher), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  static const AmpsHttpListenerFuncs api_funcs = { check_api_request, handle_api_request,
                                                   count_api_request };
  static const AmpsHttpListenerFuncs metrics_funcs = { check_metrics_request,
                                                       handle_metrics_request, NULL };
  AmpsServer *self = g_object_new (AMPS_TYPE_SERVER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->dispatcher = g_object_ref (dispatcher);
  self->lifecycle = g_object_ref (amps_dispatcher_get_lifecycle (dispatcher));
  self->gate = g_object_ref (amps_dispatcher_get_gate (dispatcher));
  self->decider = g_object_ref (amps_dispatcher_get_decider (dispatcher));
  self->publisher = g_object_ref (amps_dispatcher_get_publisher (dispatcher));
  self->manifest = g_object_ref (amps_dispatcher_get_manifest (dispatcher));
  self->broker = g_object_ref (amps_dispatcher_get_broker (dispatcher));
  self->metrics = g_object_ref (metrics);
  self->created = amps_clock_get_monotonic_time (clock);
  self->api = amps_http_listener_new (clock, API_CONNECTIONS,
                                      amps_config_get_max_body_size (config), &api_funcs, self);
  amps_server_begin_status (self);
  if (amps_config_get_metrics_enabled (config))
    self->metrics_port = amps_http_listener_new (clock, METRICS_CONNECTIONS, METRICS_BODY_SIZE,
                                                 &metrics_funcs, self);
  return self;
}

/**
 * amps_server_offer_dead_letters:
 * @self: a server that has not started
 * @create: (scope forever): makes what deals with dead letters, for each request
 * @user_data: passed to @create; outlives @self
 *
 * Lets calls of the API look at dead letters and put them back.
 */
void
amps_server_offer_dead_letters (AmpsServer *self, AmpsServerCreateDeadLetters create,
                                gpointer user_data)
{
  self->create_dead_letters = create;
  self->create_data = user_data;
}

static gboolean
start_api (AmpsServer *self, GError **error)
{
  guint16 port = amps_config_get_port (self->config);
  const char *path = amps_config_get_api_socket (self->config);

  if (port != 0 && !amps_http_listener_listen (self->api, port, error))
    {
      g_prefix_error (error, "PORT: ");
      return FALSE;
    }

  if (path != NULL && !amps_http_listener_listen_at (
                          self->api, path, amps_config_get_api_socket_mode (self->config), error))
    {
      g_prefix_error (error, "API_SOCKET: ");
      return FALSE;
    }

  return TRUE;
}

/**
 * amps_server_start:
 * @self: a server
 * @error: return location, naming the setting and the port or path
 *
 * Listens on PORT, at API_SOCKET and on METRICS_PORT.
 *
 * Returns: whether it does
 */
gboolean
amps_server_start (AmpsServer *self, GError **error)
{
  if (!start_api (self, error))
    return FALSE;

  if (self->metrics_port != NULL &&
      !amps_http_listener_listen (self->metrics_port, amps_config_get_metrics_port (self->config),
                                  error))
    {
      g_prefix_error (error, "METRICS_PORT: ");
      return FALSE;
    }

  return TRUE;
}

/**
 * amps_server_stop:
 * @self: a server
 *
 * Takes no more connections. Requests that have begun are still answered.
 */
void
amps_server_stop (AmpsServer *self)
{
  amps_http_listener_stop (self->api);
  if (self->metrics_port != NULL)
    amps_http_listener_stop (self->metrics_port);
}

/**
 * amps_server_get_query:
 * @message: a request
 * @name: the name of a parameter in the query of its URI
 *
 * Returns: (transfer full) (nullable): its value
 */
char *
amps_server_get_query (SoupServerMessage *message, const char *name)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));
  g_autoptr (GHashTable) parameters = NULL;

  if (query == NULL)
    return NULL;
  parameters = soup_form_decode (query);
  return g_strdup (g_hash_table_lookup (parameters, name));
}

/**
 * amps_server_get_number:
 * @message: a request
 * @name: the name of a parameter in the query of its URI
 * @min: its smallest value
 * @max: its largest value
 * @number: (inout): its value, if it is there
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: whether it makes sense, or is not there
 */
gboolean
amps_server_get_number (SoupServerMessage *message, const char *name, guint64 min, guint64 max,
                        guint64 *number, GError **error)
{
  g_autofree char *text = amps_server_get_query (message, name);

  if (text == NULL || g_ascii_string_to_unsigned (text, 10, min, max, number, NULL))
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
               "“%s” must be a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, name, min,
               max);
  return FALSE;
}

/**
 * amps_server_add_text:
 * @builder: in an object
 * @name: of the member
 * @text: UTF-8
 * @max: how many bytes of it are shown at most; one that is cut ends in “…”
 */
void
amps_server_add_text (JsonBuilder *builder, const char *name, const char *text, gsize max)
{
  g_autofree char *cut = NULL;

  if (strlen (text) > max)
    cut = g_strdup_printf ("%.*s…", (int) (g_utf8_find_prev_char (text, text + max + 1) - text),
                           text);
  amps_reply_add_string (builder, name, cut != NULL ? cut : text);
}

/**
 * amps_server_add_time:
 * @self: a server
 * @builder: where a value is due
 * @monotonic: monotonic µs; 0 for never
 *
 * Adds that moment by the wall clock, as of RFC 3339, or null.
 */
void
amps_server_add_time (AmpsServer *self, JsonBuilder *builder, gint64 monotonic)
{
  g_autofree char *text = monotonic != 0 ? amps_clock_format_time (self->clock, monotonic) : NULL;

  /* What is beyond the year 9999 is as good as never. */
  if (text != NULL)
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}
