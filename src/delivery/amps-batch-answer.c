/* SPDX-License-Identifier: MIT */
#include "amps-batch-answer.h"

#include "core/amps-error.h"
#include "core/amps-foreign-text.h"
#include "core/amps-json-scanner.h"

#include <json-glib/json-glib.h>

static void
failure_free (gpointer data)
{
  AmpsBatchFailure *failure = data;

  g_free (failure->reason);
  g_free (failure);
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "the answer to a batch %s", what);
  return FALSE;
}

static AmpsJob *
find_job (GPtrArray *jobs, const char *identifier)
{
  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      if (g_strcmp0 (amps_job_get_id (job), identifier) == 0 ||
          g_strcmp0 (amps_job_get_run_id (job), identifier) == 0)
        return job;
    }

  return NULL;
}

/* A member that is missing is NULL, one of another type is an error. */
static gboolean
read_member (JsonObject *object, const char *name, GType type, JsonNode **node, GError **error)
{
  *node = json_object_get_member (object, name);
  return *node == NULL ||
         (JSON_NODE_HOLDS_VALUE (*node) && json_node_get_value_type (*node) == type) ||
         fail (error, "has a member of the wrong type");
}

static gboolean
read_failure (JsonNode *item, GPtrArray *jobs, GHashTable *failures, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (item) ? json_node_get_object (item) : NULL;
  JsonNode *identifier;
  JsonNode *reason;
  JsonNode *reschedule;
  AmpsBatchFailure *failure;
  AmpsJob *job;

  if (object == NULL)
    return fail (error, "has a failure that is not an object");

  if (!read_member (object, "identifier", G_TYPE_STRING, &identifier, error) ||
      !read_member (object, "reason", G_TYPE_STRING, &reason, error) ||
      !read_member (object, "reschedule", G_TYPE_BOOLEAN, &reschedule, error))
    return FALSE;

  job = identifier != NULL ? find_job (jobs, json_node_get_string (identifier)) : NULL;
  if (job == NULL)
    return fail (error, "names a job that was not in it");

  failure = g_new0 (AmpsBatchFailure, 1);
  failure->reason =
      reason != NULL ? amps_foreign_text_dup (json_node_get_string (reason), -1) : NULL;
  failure->reschedule = reschedule != NULL && json_node_get_boolean (reschedule);
  g_hash_table_insert (failures, job, failure);
  return TRUE;
}

static gboolean
read_failures (JsonNode *root, GPtrArray *jobs, GHashTable *failures, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonNode *list = object != NULL ? json_object_get_member (object, "failures") : NULL;
  JsonArray *array;

  if (list == NULL || !JSON_NODE_HOLDS_ARRAY (list))
    return fail (error, "has no list “failures”");

  array = json_node_get_array (list);
  for (unsigned int i = 0; i < json_array_get_length (array); i++)
    {
      if (!read_failure (json_array_get_element (array, i), jobs, failures, error))
        return FALSE;
    }

  return TRUE;
}

/**
 * amps_batch_answer_parse:
 * @body: (nullable): `{"failures":[{"identifier":"…","reason":"…","reschedule":true}]}`,
 *   or nothing, when all is done
 * @jobs: (element-type AmpsJob): what was in the batch
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * Returns: (transfer full) (nullable) (element-type AmpsJob AmpsBatchFailure):
 *   those that failed; the rest is done
 */
GHashTable *
amps_batch_answer_parse (GBytes *body, GPtrArray *jobs, GError **error)
{
  g_autoptr (GHashTable) failures = g_hash_table_new_full (NULL, NULL, NULL, failure_free);
  g_autoptr (JsonParser) parser = NULL;
  gsize length = 0;
  const char *json = body != NULL ? g_bytes_get_data (body, &length) : NULL;

  if (length == 0)
    return g_steal_pointer (&failures);

  parser = json_parser_new_immutable ();
  if (!amps_json_check (json, length, error) ||
      !json_parser_load_from_data (parser, json, (gssize) length, error) ||
      !read_failures (json_parser_get_root (parser), jobs, failures, error))
    return NULL;

  return g_steal_pointer (&failures);
}
