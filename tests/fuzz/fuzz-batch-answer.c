/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "delivery/amps-batch-answer.h"
#include "event/amps-json-scanner.h"
#include "jobs/amps-job-private.h"
#include "make-job.h"

#include <string.h>
#ifdef HAVE_JANSSON
#include "strict-json.h"

#include <jansson.h>
#endif

/* AMPS takes the answers that another parser finds clear, and reads in them what
 * that one does. */

#define N_JOBS 3

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static GPtrArray *
make_batch (void)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func (g_object_unref);

  for (unsigned int i = 0; i < N_JOBS; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);
      AmpsJob *job = make_job (id, "{}", 1);

      job->run_id = g_strdup_printf ("%u-1", i);
      g_ptr_array_add (jobs, job);
    }

  return jobs;
}

#ifdef HAVE_JANSSON
/* Returns: whether it is missing, or a text without U+0000 */
static gboolean
is_text (const json_t *value)
{
  return value == NULL || (json_is_string (value) &&
                           strlen (json_string_value (value)) == json_string_length (value));
}

/* Returns: the one that @failure is of, or N_JOBS if it is not clear */
static unsigned int
find_job (const json_t *failure)
{
  const json_t *identifier = json_object_get (failure, "identifier");
  const json_t *reschedule = json_object_get (failure, "reschedule");
  const char *text = json_string_value (identifier);

  if (!is_text (identifier) || text == NULL || !is_text (json_object_get (failure, "reason")) ||
      (reschedule != NULL && !json_is_boolean (reschedule)) || !g_ascii_isdigit (text[0]) ||
      text[0] >= '0' + N_JOBS || (text[1] != '\0' && strcmp (text + 1, "-1") != 0))
    return N_JOBS;

  return (unsigned int) (text[0] - '0');
}

/* Returns: whether it is clear, and then in @failures what is said of each job */
static gboolean
read_independently (const json_t *root, const json_t **failures)
{
  const json_t *list = json_object_get (root, "failures");

  for (size_t i = 0; i < json_array_size (list); i++)
    {
      const json_t *failure = json_array_get (list, i);
      unsigned int job = find_job (failure);

      if (job == N_JOBS || failures[job] != NULL)
        return FALSE;
      failures[job] = failure;
    }

  return json_is_array (list);
}

static void
assert_reason (const char *reason, const char *given)
{
  g_autofree char *expected = given != NULL ? amps_foreign_text_dup (given, -1) : NULL;

  g_assert_cmpstr (reason, ==, expected);
}

static void
compare (GPtrArray *jobs, GHashTable *found, const json_t **failures)
{
  for (unsigned int i = 0; i < N_JOBS; i++)
    {
      const AmpsBatchFailure *failure = g_hash_table_lookup (found, g_ptr_array_index (jobs, i));

      g_assert_cmpint (failure != NULL, ==, failures[i] != NULL);
      if (failure == NULL)
        continue;
      assert_reason (failure->reason, json_string_value (json_object_get (failures[i], "reason")));
      g_assert_cmpint (failure->reschedule, ==,
                       json_is_true (json_object_get (failures[i], "reschedule")));
    }
}

static void
check_independently (const char *json, gsize size, GPtrArray *jobs, GHashTable *found)
{
  const json_t *failures[N_JOBS] = { NULL };
  json_error_t error;
  json_t *root = NULL;

  if (memchr (json, '\0', size) == NULL)
    root = json_loadb (json, size, JSON_ALLOW_NUL | (found == NULL ? JSON_REJECT_DUPLICATES : 0),
                       &error);
  if (root == NULL)
    {
      g_assert_true (found == NULL || json_error_code (&error) == json_error_numeric_overflow ||
                     json_error_code (&error) == json_error_null_byte_in_key);
      return;
    }

  if (get_json_depth (json, size) <= AMPS_JSON_MAX_DEPTH)
    g_assert_cmpint (read_independently (root, failures), ==, found != NULL);
  if (found != NULL)
    compare (jobs, found, failures);
  json_decref (root);
}
#endif

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autoptr (GBytes) body = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) failures = amps_batch_answer_parse (body, jobs, &error);

  if (failures == NULL)
    g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
#ifdef HAVE_JANSSON
  if (size > 0)
    check_independently ((const char *) data, size, jobs, failures);
#endif
  return 0;
}
