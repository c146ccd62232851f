/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-http.h"

#include "amps-ctl-error.h"
#include "amps-ctl-text.h"
#include "base/amps-tls-peer.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <libsoup/soup.h>
#include <string.h>

/* For publications, which wait for the broker beside each other. */
#define MAX_CONNECTIONS 32
#define CLOUDEVENT "application/cloudevents+json"
#define LOOPBACK "127.0.0.1"

struct _AmpsCtlHttp {
  GObject parent_instance;

  SoupSession *session; /* (owned) */
  char *base;           /* (owned) URL without a slash at its end */
  char *place;          /* (owned) for people */
  char *token;          /* (owned) (nullable) */
  gboolean is_socket;
};

static void amps_ctl_http_api_init (AmpsCtlApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmpsCtlHttp, amps_ctl_http, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (AMPS_CTL_TYPE_API, amps_ctl_http_api_init))

static void
amps_ctl_http_finalize (GObject *object)
{
  AmpsCtlHttp *self = AMPS_CTL_HTTP (object);

  soup_session_abort (self->session);
  g_object_unref (self->session);
  g_free (self->base);
  g_free (self->place);
  g_free (self->token);

  G_OBJECT_CLASS (amps_ctl_http_parent_class)->finalize (object);
}

static void
amps_ctl_http_class_init (AmpsCtlHttpClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_ctl_http_finalize;
}

static void
amps_ctl_http_init (AmpsCtlHttp *self G_GNUC_UNUSED)
{
}

/* @remote: (nullable) (transfer full): where to connect, whatever the URL says */
static AmpsCtlHttp *
create (char *base, char *place, const char *token, GSocketConnectable *remote)
{
  AmpsCtlHttp *self = g_object_new (AMPS_CTL_TYPE_HTTP, NULL);

  self->base = base;
  self->place = place;
  self->token = g_strdup (token);
  self->is_socket = remote != NULL;
  self->session =
      g_object_new (SOUP_TYPE_SESSION, "remote-connectable", remote, "max-conns", MAX_CONNECTIONS,
                    "max-conns-per-host", MAX_CONNECTIONS, "timeout", 0, "idle-timeout", 0,
                    /* AMPS is beside us, or where --url says. */
                    "proxy-resolver", NULL, NULL);
  g_clear_object (&remote);
  return self;
}

/**
 * amps_ctl_http_new:
 * @url: of the job API
 * @token: (nullable): API_TOKEN
 * @error: return location: %AMPS_CTL_ERROR_USAGE
 *
 * Returns: (transfer full) (nullable): the way to the AMPS there
 */
AmpsCtlApi *
amps_ctl_http_new (const char *url, const char *token, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  char *base;

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0' ||
      g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL ||
      g_uri_get_userinfo (uri) != NULL ||
      (!g_str_equal (g_uri_get_scheme (uri), "http") &&
       !g_str_equal (g_uri_get_scheme (uri), "https")))
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("--url must be like http://127.0.0.1:4000 or unix:/path"));
      return NULL;
    }

  base = g_strdup (url);
  if (g_str_has_suffix (base, "/"))
    base[strlen (base) - 1] = '\0';
  return AMPS_CTL_API (create (base, amps_ctl_text_clean (base), token, NULL));
}

/**
 * amps_ctl_http_new_for_socket:
 * @path: of the socket of the job API
 * @token: (nullable): API_TOKEN
 *
 * Returns: (transfer full): the way to the AMPS there
 */
AmpsCtlApi *
amps_ctl_http_new_for_socket (const char *path, const char *token)
{
  GSocketConnectable *address = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));

  return AMPS_CTL_API (
      create (g_strdup ("http://amps"), amps_ctl_text_clean (path), token, address));
}

/**
 * amps_ctl_http_dup_host:
 * @self: a way to AMPS
 *
 * Returns: (transfer full): the host where it is, as in a URL
 */
char *
amps_ctl_http_dup_host (AmpsCtlHttp *self)
{
  g_autoptr (GUri) uri = g_uri_parse (self->base, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = g_uri_get_host (uri);

  if (self->is_socket)
    return g_strdup (LOOPBACK);
  return strchr (host, ':') != NULL ? g_strdup_printf ("[%s]", host) : g_strdup (host);
}

static const char *
amps_ctl_http_get_place (AmpsCtlApi *api)
{
  return AMPS_CTL_HTTP (api)->place;
}

/* Requests */

typedef struct {
  const char *method;
  const char *path;
  unsigned int status;  /* of a good answer */
  gboolean may_be_sick; /* 503 is an answer, too */
  gboolean has_answer;
} Route;

static const Route routes[AMPS_CTL_N_CALLS] = {
  [AMPS_CTL_CALL_ALIVE] = { "GET", "/healthz", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_READY] = { "GET", "/readyz", 200, TRUE, TRUE },
  [AMPS_CTL_CALL_DETAILS] = { "GET", "/health/detailed", 200, TRUE, TRUE },
  [AMPS_CTL_CALL_JOBS] = { "GET", "/jobs", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_ACKNOWLEDGE] = { "POST", "/acknowledge", 202, FALSE, FALSE },
  [AMPS_CTL_CALL_REJECT] = { "POST", "/reject", 202, FALSE, FALSE },
  [AMPS_CTL_CALL_RESCHEDULE] = { "POST", "/reject", 202, FALSE, FALSE },
  [AMPS_CTL_CALL_HEARTBEAT] = { "POST", "/heartbeat", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_PUBLISH] = { "POST", "/publish", 202, FALSE, FALSE },
  [AMPS_CTL_CALL_PAUSE] = { "POST", "/pause", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_RESUME] = { "POST", "/resume", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_DRAIN] = { "POST", "/drain", 200, FALSE, TRUE },
  [AMPS_CTL_CALL_CONCURRENCY] = { "POST", "/concurrency", 200, FALSE, TRUE },
};

static void
add_string (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

static void
ctl_http_add_duration (JsonObject *object, const char *name, gint64 duration)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT "ms", (duration + 999) / 1000);

  if (duration > 0)
    json_object_set_string_member (object, name, text);
}

static GBytes *
make_body (const AmpsCtlCall *call)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  char *text;

  add_string (object, "identifier", call->identifier);
  add_string (object, "reason", call->text);
  if (call->kind == AMPS_CTL_CALL_CONCURRENCY)
    json_object_set_int_member (object, "limit", (gint64) call->number);
  if (call->kind == AMPS_CTL_CALL_RESCHEDULE)
    {
      json_object_set_boolean_member (object, "reschedule", TRUE);
      ctl_http_add_duration (object, "delay", call->duration);
    }
  else
    {
      ctl_http_add_duration (object, "extend", call->duration);
    }

  text = json_to_string (node, FALSE);
  return g_bytes_new_take (text, strlen (text));
}

static char *
make_call_url (AmpsCtlHttp *self, const AmpsCtlCall *call)
{
  g_autoptr (GString) url = g_string_new (self->base);

  g_string_append (url, routes[call->kind].path);
  if (call->kind == AMPS_CTL_CALL_JOBS)
    g_string_append_printf (url, "?limit=%" G_GUINT64_FORMAT, call->number);
  if (call->after != NULL)
    {
      g_string_append (url, "&after=");
      g_string_append_uri_escaped (url, call->after, NULL, FALSE);
    }
  return g_string_free (g_steal_pointer (&url), FALSE);
}

static SoupMessage *
make_message (AmpsCtlHttp *self, const AmpsCtlCall *call)
{
  g_autofree char *url = make_call_url (self, call);
  SoupMessage *message = soup_message_new (routes[call->kind].method, url);
  g_autoptr (GBytes) body = NULL;

  if (call->event != NULL)
    soup_message_set_request_body_from_bytes (message, CLOUDEVENT, call->event);
  else if (call->identifier != NULL || call->kind == AMPS_CTL_CALL_CONCURRENCY)
    soup_message_set_request_body_from_bytes (message, "application/json", body = make_body (call));
  return message;
}

static void
send_message (AmpsCtlHttp *self, SoupMessage *message, GCancellable *cancellable,
              GAsyncReadyCallback callback, GTask *task)
{
  if (self->token != NULL)
    {
      g_autofree char *value = g_strconcat ("Bearer ", self->token, NULL);

      soup_message_headers_replace (soup_message_get_request_headers (message), "Authorization",
                                    value);
    }
  /* The program that answers this is not AMPS, and must not get the token. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  g_task_set_task_data (task, g_object_ref (message), g_object_unref);
  amps_tls_peer_keep_address_of (G_OBJECT (message));
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, cancellable,
                                    callback, task);
}

/* Answers */

static void
set_no_amps (AmpsCtlHttp *self, GError **error)
{
  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
               _ ("the program that answers at %s is not AMPS"), self->place);
}

static AmpsCtlError
classify (AmpsCtlCallKind kind, unsigned int status)
{
  switch (status)
    {
    case SOUP_STATUS_UNAUTHORIZED:
    case SOUP_STATUS_FORBIDDEN:
      return AMPS_CTL_ERROR_NOT_ALLOWED;

    case SOUP_STATUS_SERVICE_UNAVAILABLE:
      return AMPS_CTL_ERROR_TRY_AGAIN;

    case SOUP_STATUS_BAD_REQUEST:
    case SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE:
      return kind == AMPS_CTL_CALL_PUBLISH ? AMPS_CTL_ERROR_BAD_DATA : AMPS_CTL_ERROR_FAILED;

    default:
      return AMPS_CTL_ERROR_FAILED;
    }
}

/* An RFC 9457 problem, which every refusal of AMPS is. */
static void
ctl_http_set_refused (AmpsCtlHttp *self, AmpsCtlCallKind kind, unsigned int status,
                      JsonNode *problem, GError **error)
{
  JsonObject *object =
      problem != NULL && JSON_NODE_HOLDS_OBJECT (problem) ? json_node_get_object (problem) : NULL;
  const char *detail =
      object != NULL ? json_object_get_string_member_with_default (object, "detail", NULL) : NULL;
  g_autofree char *shown = detail != NULL ? amps_ctl_text_clean (detail) : NULL;

  if (shown != NULL)
    g_set_error_literal (error, AMPS_CTL_ERROR, (int) classify (kind, status), shown);
  else
    set_no_amps (self, error);
}

static JsonNode *
parse_answer (GBytes *body)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  gsize length;
  const char *text = g_bytes_get_data (body, &length);

  if (length == 0 || !json_parser_load_from_data (parser, text, (gssize) length, NULL))
    return NULL;
  return json_parser_steal_root (parser);
}

static JsonNode *
ctl_http_read_answer (AmpsCtlHttp *self, AmpsCtlCallKind kind, SoupMessage *message, GBytes *body,
                      GError **error)
{
  const Route *route = &routes[kind];
  unsigned int status = soup_message_get_status (message);
  g_autoptr (JsonNode) answer = parse_answer (body);
  gboolean is_good = status == route->status ||
                     (route->may_be_sick && status == SOUP_STATUS_SERVICE_UNAVAILABLE) ||
                     (kind == AMPS_CTL_CALL_DRAIN && status == SOUP_STATUS_ACCEPTED);

  if (!is_good)
    ctl_http_set_refused (self, kind, status, answer, error);
  else if (!route->has_answer)
    return json_node_new (JSON_NODE_NULL);
  else if (answer != NULL && JSON_NODE_HOLDS_OBJECT (answer))
    return g_steal_pointer (&answer);
  else
    set_no_amps (self, error);
  return NULL;
}

/* Why there is no answer. */
static void
set_unreachable (AmpsCtlHttp *self, GError *cause, GError **error)
{
  g_autofree char *why = amps_ctl_text_clean (cause->message);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_propagate_error (error, g_error_copy (cause));
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NOT_ALLOWED, "%s: %s", self->place, why);
  else
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
                 _ ("there is no AMPS at %s: %s"), self->place, why);
}

static AmpsCtlCallKind
get_kind (GTask *task)
{
  return (AmpsCtlCallKind) GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (task), "kind"));
}

static void
ctl_http_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  AmpsCtlHttp *self = g_task_get_source_object (task);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &cause);
  JsonNode *answer = NULL;
  GError *error = NULL;

  if (body == NULL)
    set_unreachable (self, cause, &error);
  else
    answer =
        ctl_http_read_answer (self, get_kind (task), g_task_get_task_data (task), body, &error);

  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify) json_node_unref);
  else
    g_task_return_error (task, error);
}

static void
amps_ctl_http_call_async (AmpsCtlApi *api, const AmpsCtlCall *call, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  AmpsCtlHttp *self = AMPS_CTL_HTTP (api);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (SoupMessage) message = NULL;

  g_object_set_data (G_OBJECT (task), "kind", GUINT_TO_POINTER (call->kind));
  message = make_message (self, call);
  send_message (self, message, cancellable, ctl_http_on_answer, task);
}

static JsonNode *
amps_ctl_http_call_finish (AmpsCtlApi *api G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
amps_ctl_http_api_init (AmpsCtlApiInterface *iface)
{
  iface->call_async = amps_ctl_http_call_async;
  iface->call_finish = amps_ctl_http_call_finish;
  iface->get_place = amps_ctl_http_get_place;
}
