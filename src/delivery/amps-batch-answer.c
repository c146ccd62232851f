/* SPDX-License-Identifier: MIT */
#include "amps-batch-answer.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "event/amps-json-members.h"

typedef enum {
  FAILURE_IDENTIFIER,
  FAILURE_REASON,
  FAILURE_RESCHEDULE,
} FailureMember;
#define N_FAILURE_MEMBERS (FAILURE_RESCHEDULE + 1)

static void
failure_free (gpointer data)
{
  AmpsBatchFailure *failure = data;

  g_free (failure->reason);
  g_free (failure);
}

static gboolean
batch_answer_fail (GError **error, const char *what)
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

/* Of a member that is missing there is no start; null is of a wrong type like any other. */
static gboolean
check_kind (const AmpsJsonValue *value, AmpsJsonKind kind, GError **error)
{
  return value->start == NULL || value->kind == kind ||
         batch_answer_fail (error, "has a member of the wrong type");
}

static gboolean
batch_answer_read_text (const AmpsJsonValue *value, char **text, GError **error)
{
  if (!check_kind (value, AMPS_JSON_STRING, error))
    return FALSE;
  if (value->start == NULL)
    return TRUE;

  *text = amps_json_value_unescape (value);
  return *text != NULL || batch_answer_fail (error, "has a string with U+0000");
}

static gboolean
read_failure (const AmpsJsonValue *values, GPtrArray *jobs, GHashTable *failures, GError **error)
{
  g_autofree char *identifier = NULL;
  g_autofree char *reason = NULL;
  const AmpsJsonValue *reschedule = &values[FAILURE_RESCHEDULE];
  AmpsBatchFailure *failure;
  AmpsJob *job;

  if (!batch_answer_read_text (&values[FAILURE_IDENTIFIER], &identifier, error) ||
      !batch_answer_read_text (&values[FAILURE_REASON], &reason, error) ||
      !check_kind (reschedule, AMPS_JSON_BOOLEAN, error))
    return FALSE;

  job = identifier != NULL ? find_job (jobs, identifier) : NULL;
  if (job == NULL)
    return batch_answer_fail (error, "names a job that was not in it");
  if (g_hash_table_contains (failures, job))
    return batch_answer_fail (error, "names a job twice");

  failure = g_new0 (AmpsBatchFailure, 1);
  failure->reason = reason != NULL ? amps_foreign_text_dup (reason, -1) : NULL;
  failure->reschedule = reschedule->start != NULL && *reschedule->start == 't';
  g_hash_table_insert (failures, job, failure);
  return TRUE;
}

/* @list: an array that has been read as a whole */
static gboolean
read_failures (const AmpsJsonValue *list, GPtrArray *jobs, GHashTable *failures, GError **error)
{
  static const char *const names[] = {
    [FAILURE_IDENTIFIER] = "identifier",
    [FAILURE_REASON] = "reason",
    [FAILURE_RESCHEDULE] = "reschedule",
  };
  AmpsJsonScanner scanner;
  AmpsJsonValue values[N_FAILURE_MEMBERS];

  amps_json_scanner_init (&scanner, list->start, (gsize) (list->end - list->start));
  amps_json_scanner_enter (&scanner, '[');
  for (gboolean first = TRUE; amps_json_scanner_next_item (&scanner, '[', first); first = FALSE)
    {
      if (!amps_json_members_read (&scanner, 2, names, values, N_FAILURE_MEMBERS))
        {
          g_autofree char *what = g_strconcat ("has a failure with ", scanner.problem, NULL);

          return batch_answer_fail (error, what);
        }
      if (!read_failure (values, jobs, failures, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
batch_answer_read_answer (const char *json, gsize length, GPtrArray *jobs, GHashTable *failures,
                          GError **error)
{
  static const char *const names[] = { "failures" };
  AmpsJsonScanner scanner;
  AmpsJsonValue list;

  amps_json_scanner_init (&scanner, json, length);
  if (!amps_json_members_read (&scanner, 0, names, &list, G_N_ELEMENTS (names)) ||
      !amps_json_scanner_finish (&scanner))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                   "the answer to a batch must be a JSON object: %s at byte %zu", scanner.problem,
                   amps_json_scanner_get_offset (&scanner));
      return FALSE;
    }
  if (list.kind != AMPS_JSON_ARRAY)
    return batch_answer_fail (error, "has no list “failures”");

  return read_failures (&list, jobs, failures, error);
}

/**
 * amps_batch_answer_parse:
 * @body: (nullable): `{"failures":[{"identifier":"…","reason":"…","reschedule":true}]}`,
 *   or nothing, when all is done
 * @jobs: (element-type AmpsJob): what was in the batch
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * What says nothing clear, as two lists or two failures of a job, is an error: nobody can
 * tell then which jobs are done.
 *
 * Returns: (transfer full) (nullable) (element-type AmpsJob AmpsBatchFailure):
 *   those that failed; the rest is done
 */
GHashTable *
amps_batch_answer_parse (GBytes *body, GPtrArray *jobs, GError **error)
{
  g_autoptr (GHashTable) failures = g_hash_table_new_full (NULL, NULL, NULL, failure_free);
  gsize length = 0;
  const char *json = body != NULL ? g_bytes_get_data (body, &length) : NULL;

  if (length == 0)
    return g_steal_pointer (&failures);

  return batch_answer_read_answer (json, length, jobs, failures, error)
             ? g_steal_pointer (&failures)
             : NULL;
}
