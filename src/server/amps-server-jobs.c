/* SPDX-License-Identifier: MIT */
#include "amps-reply.h"
#include "amps-server-private.h"
#include "core/amps-error.h"

/* All that AMPS can have in flight at once would block the loop for too long. */
#define DEFAULT_LIMIT 1000
#define MAX_LIMIT 10000

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_job (AmpsServer *self, JsonBuilder *builder, AmpsJob *job)
{
  json_builder_begin_object (builder);
  add_string (builder, "id", amps_job_get_id (job));
  add_string (builder, "source", amps_job_get_source (job));
  add_string (builder, "type", amps_job_get_event_type (job));
  add_string (builder, "state", amps_job_state_to_string (amps_job_get_state (job)));
  json_builder_set_member_name (builder, "attempt");
  json_builder_add_int_value (builder, amps_job_get_attempt (job));
  json_builder_set_member_name (builder, "since");
  amps_server_add_time (self, builder, amps_job_get_since (job));
  json_builder_set_member_name (builder, "deadline");
  amps_server_add_time (self, builder, amps_job_get_deadline (job));
  if (amps_job_get_detail (job) != NULL)
    add_string (builder, "detail", amps_job_get_detail (job));
  json_builder_end_object (builder);
}

/* Returns: the limit, or 0 when it makes no sense */
static unsigned int
get_limit (SoupServerMessage *message)
{
  g_autofree char *text = amps_server_get_query (message, "limit");
  guint64 limit;

  if (text == NULL)
    return DEFAULT_LIMIT;
  return g_ascii_string_to_unsigned (text, 10, 1, MAX_LIMIT, &limit, NULL) ? (unsigned int) limit
                                                                           : 0;
}

/**
 * amps_server_list_jobs:
 *
 * `GET /jobs`
 */
void
amps_server_list_jobs (AmpsServer *self, SoupServerMessage *message, const char *rest G_GNUC_UNUSED)
{
  AmpsManifest *manifest = amps_dispatcher_get_manifest (self->dispatcher);
  unsigned int limit = get_limit (message);
  g_autoptr (JsonBuilder) answer = NULL;
  g_autoptr (GPtrArray) jobs = NULL;

  if (limit == 0)
    {
      g_autoptr (GError) error = g_error_new (AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                                              "“limit” must be a number from 1 to %d", MAX_LIMIT);

      amps_reply_error (message, error);
      return;
    }

  jobs = amps_manifest_list (manifest);
  answer = json_builder_new_immutable ();
  json_builder_begin_object (answer);
  json_builder_set_member_name (answer, "count");
  json_builder_add_int_value (answer, jobs->len);
  json_builder_set_member_name (answer, "jobs");
  json_builder_begin_array (answer);
  for (unsigned int i = 0; i < MIN (jobs->len, limit); i++)
    add_job (self, answer, g_ptr_array_index (jobs, i));
  json_builder_end_array (answer);
  json_builder_end_object (answer);
  amps_reply_json (message, SOUP_STATUS_OK, answer);
}

/**
 * amps_server_show_job:
 *
 * `GET /jobs/ID`
 */
void
amps_server_show_job (AmpsServer *self, SoupServerMessage *message, const char *rest)
{
  g_autofree char *identifier = g_uri_unescape_string (rest, NULL);
  AmpsManifest *manifest = amps_dispatcher_get_manifest (self->dispatcher);
  AmpsJob *job = identifier != NULL ? amps_manifest_lookup (manifest, identifier) : NULL;

  if (job == NULL)
    {
      g_autoptr (GError) error =
          g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "no job “%s” is in flight",
                       identifier != NULL ? identifier : rest);

      amps_reply_error (message, error);
      return;
    }

  g_autoptr (JsonBuilder) answer = json_builder_new_immutable ();

  add_job (self, answer, job);
  amps_reply_json (message, SOUP_STATUS_OK, answer);
}
