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

typedef enum {
  METHOD_GET = 1 << 0,
  METHOD_POST = 1 << 1,
} Methods;

/* A path below the root that ends in a slash takes whatever follows it. What is not open
 * is the job API, which is not for everybody. */
static const struct {
  const char *path;
  Methods methods;
  gboolean open;
  AmpsHandler handler;
  AmpsApiCall call;
} routes[] = {
  { "/acknowledge", METHOD_POST, FALSE, amps_server_acknowledge, AMPS_API_ACKNOWLEDGE },
  { "/reject", METHOD_POST, FALSE, amps_server_reject, AMPS_API_REJECT },
  { "/heartbeat", METHOD_POST, FALSE, amps_server_heartbeat, AMPS_API_HEARTBEAT },
  { "/publish", METHOD_POST, FALSE, amps_server_publish, AMPS_API_PUBLISH },
  { "/jobs", METHOD_GET, FALSE, amps_server_list_jobs, AMPS_API_JOBS },
  { "/jobs/", METHOD_GET, FALSE, amps_server_show_job, AMPS_API_JOB },
  { "/drain", METHOD_GET | METHOD_POST, FALSE, amps_server_drain, AMPS_API_DRAIN },
  { "/pause", METHOD_POST, FALSE, amps_server_pause, AMPS_API_PAUSE },
  { "/resume", METHOD_POST, FALSE, amps_server_resume, AMPS_API_RESUME },
  { "/concurrency", METHOD_POST, FALSE, amps_server_set_concurrency, AMPS_API_CONCURRENCY },
  { "/healthz", METHOD_GET, TRUE, amps_server_show_alive, AMPS_API_HEALTHZ },
  { "/readyz", METHOD_GET, TRUE, amps_server_show_ready, AMPS_API_READYZ },
  { "/health", METHOD_GET, TRUE, amps_server_show_health, AMPS_API_HEALTH },
  { "/health/detailed", METHOD_GET, TRUE, amps_server_show_details, AMPS_API_HEALTH_DETAILED },
  { "/dead-letters", METHOD_GET, FALSE, amps_server_list_dead_letters, AMPS_API_DEAD_LETTERS },
  { "/dead-letters/redrive", METHOD_POST, FALSE, amps_server_redrive_dead_letters,
    AMPS_API_REDRIVE },
  { "/events", METHOD_GET, FALSE, amps_server_watch, AMPS_API_EVENTS },
  { "/", METHOD_GET, TRUE, amps_server_show_page, AMPS_API_PAGE },
  { "/page/", METHOD_GET, TRUE, amps_server_show_page, AMPS_API_PAGE },
};

static gboolean
server_matches (const char *route, const char *path)
{
  size_t length = strlen (route);

  if (length == 1 || route[length - 1] != '/')
    return strcmp (path, route) == 0;
  return strncmp (path, route, length) == 0 && path[length] != '\0';
}

/* Returns: the index of the route, or -1 */
static int
find_route (const char *path)
{
  for (size_t i = 0; i < G_N_ELEMENTS (routes); i++)
    if (server_matches (routes[i].path, path))
      return (int) i;
  return -1;
}

static gboolean
is_allowed (Methods methods, const char *method)
{
  if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    return (methods & METHOD_GET) != 0;
  return method == SOUP_METHOD_POST && (methods & METHOD_POST) != 0;
}

static const char *
format_methods (Methods methods)
{
  static const char *const allow[] = {
    [METHOD_GET] = "GET, HEAD",
    [METHOD_POST] = "POST",
    [METHOD_GET | METHOD_POST] = "GET, HEAD, POST",
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
refuse_method (SoupServerMessage *message, const char *path, Methods methods)
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
  int route = find_route (path);
  g_autoptr (GError) error = NULL;

  if (route < 0)
    refuse_path (message, path);
  else if (!is_allowed (routes[route].methods, soup_server_message_get_method (message)))
    refuse_method (message, path, routes[route].methods);
  else if (!routes[route].open && !amps_access_check (self->config, message, &error))
    server_refuse (message, error);
}

static void
handle_api_request (SoupServerMessage *message, const char *path, gpointer user_data)
{
  int route = find_route (path);

  routes[route].handler (user_data, message, path + strlen (routes[route].path));
}

static void
count_api_request (SoupServerMessage *message, unsigned int status, gpointer user_data)
{
  AmpsServer *self = user_data;
  GUri *uri = message != NULL ? soup_server_message_get_uri (message) : NULL;
  int route = uri != NULL ? find_route (g_uri_get_path (uri)) : -1;

  amps_metrics_count_api_request (self->metrics, route >= 0 ? routes[route].call : AMPS_API_OTHER,
                                  status);
}

static void
check_metrics_request (SoupServerMessage *message, const char *path,
                       gpointer user_data G_GNUC_UNUSED)
{
  if (strcmp (path, METRICS_PATH) != 0)
    refuse_path (message, path);
  else if (!is_allowed (METHOD_GET, soup_server_message_get_method (message)))
    refuse_method (message, path, METHOD_GET);
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
