/* SPDX-License-Identifier: MIT */
#include "amps-reply.h"
#include "amps-server-private.h"
#include "base/amps-error.h"

#define DEFAULT_LIMIT 1000
#define MAX_LIMIT 10000

/* Of a listing, and in one turn of the main loop, however many listings there are: about
 * half a millisecond. A job may have an id of any length. */
#define JOBS_PER_PIECE 100
#define MAX_PIECE_SIZE ((gsize) 64 * 1024)

/* What is still to be sent of a page. */
typedef struct {
  AmpsServer *server;
  gboolean begun;
  unsigned int n_sent;
  unsigned int limit;
  guint64 after; /* the number of the last job that was sent */
} Listing;

static G_DEFINE_QUARK (amps-server-listing, listing);

static void
server_jobs_add_time (AmpsServer *self, JsonBuilder *builder, const char *name, gint64 monotonic)
{
  json_builder_set_member_name (builder, name);
  amps_server_add_time (self, builder, monotonic);
}

/**
 * amps_server_add_job:
 * @self: a server
 * @builder: where a value is due
 * @job: a job in flight
 * @max_text: how many bytes of a text are shown at most
 *
 * Adds @job as an object.
 */
void
amps_server_add_job (AmpsServer *self, JsonBuilder *builder, AmpsJob *job, gsize max_text)
{
  json_builder_begin_object (builder);
  amps_server_add_text (builder, "id", amps_job_get_id (job), max_text);
  amps_server_add_text (builder, "source", amps_job_get_source (job), max_text);
  amps_server_add_text (builder, "type", amps_job_get_event_type (job), max_text);
  amps_reply_add_string (builder, "state", amps_job_state_to_string (amps_job_get_state (job)));
  amps_reply_add_int (builder, "attempt", amps_job_get_attempt (job));
  server_jobs_add_time (self, builder, "since", amps_job_get_since (job));
  server_jobs_add_time (self, builder, "deadline", amps_job_get_deadline (job));
  amps_reply_add_int (builder, "heartbeats", amps_job_get_n_heartbeats (job));
  server_jobs_add_time (self, builder, "last_heartbeat", amps_job_get_heartbeat (job));
  if (amps_job_get_detail (job) != NULL)
    amps_server_add_text (builder, "detail", amps_job_get_detail (job), max_text);
  json_builder_end_object (builder);
}

static void
append_job (AmpsServer *self, GString *text, AmpsJob *job)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autofree char *json = NULL;
  gsize length;

  amps_server_add_job (self, builder, job, G_MAXSIZE);
  json = amps_reply_format_json (builder, &length);
  g_string_append_len (text, json, (gssize) length);
}

/* Returns: whether there may be more */
static gboolean
server_jobs_append_jobs (AmpsServer *self, GString *text, Listing *listing)
{
  unsigned int max = MIN (listing->limit - listing->n_sent, JOBS_PER_PIECE);
  g_autoptr (GPtrArray) jobs = amps_manifest_list_after (self->manifest, listing->after, max);
  unsigned int i;

  for (i = 0; i < jobs->len && text->len < MAX_PIECE_SIZE; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      if (listing->n_sent++ > 0)
        g_string_append_c (text, ',');
      append_job (self, text, job);
      listing->after = amps_job_get_number (job);
    }

  return i < jobs->len || jobs->len == max;
}

static void
append_next (AmpsServer *self, GString *text, const Listing *listing)
{
  g_autoptr (GPtrArray) rest = amps_manifest_list_after (self->manifest, listing->after, 1);

  if (rest->len > 0)
    g_string_append_printf (text, ",\"next\":\"%" G_GUINT64_FORMAT "\"", listing->after);
}

/* Returns: whether there is more */
static gboolean
append_piece (AmpsServer *self, GString *text, Listing *listing)
{
  if (!listing->begun)
    g_string_append_printf (text, "{\"count\":%u,\"jobs\":[",
                            amps_manifest_get_n_jobs (self->manifest));
  listing->begun = TRUE;

  if (server_jobs_append_jobs (self, text, listing) && listing->n_sent < listing->limit)
    return TRUE;

  g_string_append_c (text, ']');
  append_next (self, text, listing);
  g_string_append_c (text, '}');
  return FALSE;
}

static void
send_piece (AmpsServer *self, SoupServerMessage *message, Listing *listing)
{
  SoupMessageBody *body = soup_server_message_get_response_body (message);
  GString *text = g_string_new (NULL);
  gboolean more = append_piece (self, text, listing);
  gsize length = text->len;

  soup_message_body_append_take (body, (guchar *) g_string_free (text, FALSE), length);
  if (!more)
    {
      g_signal_handlers_disconnect_by_data (message, listing);
      soup_message_body_complete (body);
    }
}

/* One piece of one of them in each turn, so that the others, and all else, have theirs. */
static gboolean
server_jobs_on_turn (gpointer user_data)
{
  AmpsServer *self = user_data;
  g_autoptr (SoupServerMessage) message = g_queue_pop_head (&self->listings);

  send_piece (self, message, g_object_get_qdata (G_OBJECT (message), listing_quark ()));
  amps_http_listener_unpause (self->api, message);
  if (!g_queue_is_empty (&self->listings))
    return G_SOURCE_CONTINUE;

  self->listing_source = 0;
  return G_SOURCE_REMOVE;
}

/* Lets @message wait for its turn. */
static void
queue_piece (SoupServerMessage *message, Listing *listing)
{
  AmpsServer *self = listing->server;

  amps_http_listener_pause (self->api, message);
  g_queue_push_tail (&self->listings, g_object_ref (message));
  if (self->listing_source == 0)
    self->listing_source = g_idle_add_full (G_PRIORITY_DEFAULT, server_jobs_on_turn, self, NULL);
}

/**
 * amps_server_forget_listings:
 * @self: a server
 *
 * Lets go of the listings that are not sent yet.
 */
void
amps_server_forget_listings (AmpsServer *self)
{
  g_clear_handle_id (&self->listing_source, g_source_remove);
  g_queue_clear_full (&self->listings, g_object_unref);
}

/* The pieces are written as the client reads them, and not kept when they are written. No
 * chunks: libsoup ends those in another thread, which may not wait for the client. */
static void
begin_pieces (SoupServerMessage *message, Listing *listing)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (headers, "Content-Type", "application/json");
  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_EOF);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  if (soup_server_message_get_method (message) == SOUP_METHOD_HEAD)
    return;

  g_signal_connect (message, "wrote-chunk", G_CALLBACK (queue_piece), listing);
  queue_piece (message, listing);
}

/* Most often it is one piece, of which the length is known. */
static void
begin_listing (AmpsServer *self, SoupServerMessage *message, unsigned int limit, guint64 after)
{
  Listing *listing = g_new0 (Listing, 1);

  listing->server = self;
  listing->limit = limit;
  listing->after = after;
  g_object_set_qdata_full (G_OBJECT (message), listing_quark (), listing, g_free);

  if (amps_manifest_get_n_jobs (self->manifest) > JOBS_PER_PIECE)
    {
      begin_pieces (message, listing);
      return;
    }

  g_autoptr (GString) text = g_string_new (NULL);

  while (append_piece (self, text, listing))
    ;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_COPY, text->str,
                                    text->len);
}

/* `GET /jobs` */
static void
server_list_jobs (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  guint64 limit = DEFAULT_LIMIT;
  guint64 after = 0;
  g_autoptr (GError) error = NULL;

  if (amps_server_get_number (message, "limit", 1, MAX_LIMIT, &limit, &error) &&
      amps_server_get_number (message, "after", 0, G_MAXUINT64, &after, &error))
    begin_listing (self, message, (unsigned int) limit, after);
  else
    amps_reply_error (message, error);
}

/* `GET /jobs/ID` */
static void
server_show_job (AmpsServer *self, SoupServerMessage *message, const char *rest)
{
  g_autofree char *identifier = g_uri_unescape_string (rest, NULL);
  AmpsJob *job = identifier != NULL ? amps_manifest_lookup (self->manifest, identifier) : NULL;

  if (job == NULL)
    {
      g_autoptr (GError) error =
          g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "no job “%s” is in flight",
                       identifier != NULL ? identifier : rest);

      amps_reply_error (message, error);
      return;
    }

  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();

  amps_server_add_job (self, answer, job, G_MAXSIZE);
  amps_reply_json (message, SOUP_STATUS_OK, answer);
}

const AmpsRoute amps_server_job_routes[] = {
  { "/jobs", AMPS_METHOD_GET, FALSE, server_list_jobs, AMPS_API_JOBS },
  { "/jobs/", AMPS_METHOD_GET, FALSE, server_show_job, AMPS_API_JOB },
  { NULL },
};
