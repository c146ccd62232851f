/* SPDX-License-Identifier: MIT */
#include "amps-http-body.h"
#include "amps-reply.h"
#include "amps-request.h"
#include "amps-server-private.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "base/amps-timestamp.h"
#include "event/amps-json-members.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000

/* Of what others have written. */
#define MAX_TEXT 1024

/* A request that is answered when the broker is done with the letters. */
typedef struct {
  AmpsServer *server;         /* (owned) */
  SoupServerMessage *message; /* (owned) */
  JsonBuilder *list;          /* (owned) (nullable) an array of those that were looked at */
} Pending;

static void
server_dead_letters_pending_free (Pending *pending)
{
  g_clear_object (&pending->list);
  g_object_unref (pending->message);
  g_object_unref (pending->server);
  g_free (pending);
}

/* What is no text is made one. */
static void
add_optional (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *readable = NULL;

  if (text == NULL)
    return;
  if (!g_utf8_validate (text, -1, NULL))
    readable = amps_foreign_text_dup (text, -1);
  amps_server_add_text (builder, name, readable != NULL ? readable : text, MAX_TEXT);
}

/* @real: µs since 1970; 0 when unknown */
static void
add_moment (JsonBuilder *builder, const char *name, gint64 real)
{
  g_autofree char *text = real > 0 ? amps_timestamp_format (real, 3) : NULL;

  if (text != NULL)
    amps_reply_add_string (builder, name, text);
}

static void
server_dead_letters_on_letter (const AmpsDeadLetter *letter, const GError *error G_GNUC_UNUSED,
                               gpointer user_data)
{
  Pending *pending = user_data;
  JsonBuilder *list = pending->list;

  json_builder_begin_object (list);
  add_optional (list, "id", letter->id);
  add_optional (list, "source", letter->source);
  add_optional (list, "type", letter->type);
  add_optional (list, "reason", letter->reason);
  add_optional (list, "detail", letter->detail);
  add_optional (list, "queue", letter->queue);
  add_optional (list, "worker", letter->worker);
  if (letter->attempt > 0)
    amps_reply_add_int (list, "attempt", letter->attempt);
  add_moment (list, "first_received", letter->first_received);
  add_moment (list, "time", letter->time);
  amps_reply_add_int (list, "size", (gint64) letter->size);
  json_builder_end_object (list);
}

static void
reply_counts (Pending *pending, const AmpsDeadLettersCounts *counts)
{
  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();

  json_builder_begin_object (answer);
  if (pending->list != NULL)
    {
      json_builder_end_array (pending->list);
      amps_reply_add_int (answer, "count", (gint64) counts->n_there);
      json_builder_set_member_name (answer, "letters");
      json_builder_add_value (answer, json_builder_get_root (pending->list));
    }
  else
    {
      amps_reply_add_int (answer, "redriven", (gint64) counts->n_done);
      amps_reply_add_int (answer, "failed", (gint64) counts->n_failed);
    }
  json_builder_end_object (answer);
  amps_reply_json (pending->message, SOUP_STATUS_OK, answer);
}

static void
server_dead_letters_on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmpsDeadLetters *letters = AMPS_DEAD_LETTERS (source);
  Pending *pending = user_data;
  AmpsServer *self = pending->server;
  g_autoptr (GError) error = NULL;

  /* A queue that nobody has needed yet is as good as an empty one. */
  if (amps_dead_letters_run_finish (letters, result, &error) ||
      g_error_matches (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND))
    reply_counts (pending, amps_dead_letters_get_counts (letters));
  else
    amps_reply_error (pending->message, error);

  g_clear_object (&self->letters);
  amps_http_listener_unpause (self->api, pending->message);
  server_dead_letters_pending_free (pending);
}

/* Answers @message later, or says at once why not. */
static void
server_dead_letters_run (AmpsServer *self, SoupServerMessage *message, AmpsDeadLettersAction action,
                         const AmpsDeadLetterFilter *filter)
{
  AmpsDeadLettersRequest request = { .action = action, .filter = filter };
  g_autoptr (GError) error = NULL;
  Pending *pending;

  if (self->letters != NULL)
    g_set_error_literal (&error, AMPS_ERROR, AMPS_ERROR_BUSY,
                         "another call is using the dead letters");
  else
    self->letters = self->create_dead_letters (self->create_data, &error);
  if (error != NULL)
    {
      amps_reply_error (message, error);
      return;
    }

  pending = g_new0 (Pending, 1);
  pending->server = g_object_ref (self);
  pending->message = g_object_ref (message);
  if (action == AMPS_DEAD_LETTERS_LIST)
    {
      pending->list = json_builder_new_immutable ();
      json_builder_begin_array (pending->list);
      request.on_letter = server_dead_letters_on_letter;
      request.user_data = pending;
    }
  amps_http_listener_pause (self->api, message);
  amps_dead_letters_run_async (self->letters, &request, NULL, server_dead_letters_on_done, pending);
}

/* `GET /dead-letters` */
static void
server_list_dead_letters (AmpsServer *self, SoupServerMessage *message,
                          const char *rest G_GNUC_UNUSED)
{
  g_autoptr (AmpsDeadLetterFilter) filter = amps_dead_letter_filter_new ();
  g_autoptr (GError) error = NULL;

  filter->limit = DEFAULT_LIMIT;
  if (amps_server_get_number (message, "limit", 1, MAX_LIMIT, &filter->limit, &error))
    server_dead_letters_run (self, message, AMPS_DEAD_LETTERS_LIST, filter);
  else
    amps_reply_error (message, error);
}

/* Returns: (transfer full) (nullable): which letters the body asks for; to mean all of them
 * it must say so */
static AmpsDeadLetterFilter *
parse_selection (AmpsServer *self, GBytes *body, GError **error)
{
  static const char *const names[] = { "all", "identifier", "identifiers" };
  g_autoptr (AmpsDeadLetterFilter) filter = amps_dead_letter_filter_new ();
  g_autoptr (AmpsRequest) request = NULL;
  AmpsJsonValue values[G_N_ELEMENTS (names)];
  AmpsJsonScanner scanner;
  gsize length;
  const char *json = g_bytes_get_data (body, &length);
  gboolean all, some;

  amps_json_scanner_init (&scanner, json, length);
  all = amps_json_members_read (&scanner, 0, names, values, G_N_ELEMENTS (names)) &&
        amps_json_scanner_finish (&scanner) && values[0].kind == AMPS_JSON_BOOLEAN &&
        *values[0].start == 't';
  some = values[1].kind != AMPS_JSON_NULL || values[2].kind != AMPS_JSON_NULL;
  if (all && !some)
    return g_steal_pointer (&filter);
  if (all)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           "“all” and identifiers exclude each other");
      return NULL;
    }

  request = amps_request_parse (body, amps_config_get_event_validation (self->config), error);
  if (request == NULL)
    return NULL;
  g_ptr_array_add (request->identifiers, NULL);
  filter->ids = g_strdupv ((char **) request->identifiers->pdata);
  return g_steal_pointer (&filter);
}

/* `POST /dead-letters/redrive` */
static void
server_redrive_dead_letters (AmpsServer *self, SoupServerMessage *message,
                             const char *rest G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = amps_http_body_take (message);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsDeadLetterFilter) filter = parse_selection (self, body, &error);

  if (filter != NULL)
    server_dead_letters_run (self, message, AMPS_DEAD_LETTERS_REDRIVE, filter);
  else
    amps_reply_error (message, error);
}

const AmpsRoute amps_server_dead_letter_routes[] = {
  { "/dead-letters", AMPS_METHOD_GET, FALSE, server_list_dead_letters, AMPS_API_DEAD_LETTERS },
  { "/dead-letters/redrive", AMPS_METHOD_POST, FALSE, server_redrive_dead_letters,
    AMPS_API_REDRIVE },
  { NULL },
};
