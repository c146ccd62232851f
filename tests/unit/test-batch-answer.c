/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "delivery/amps-batch-answer.h"
#include "jobs/amps-job-private.h"
#include "make-job.h"

#include <string.h>

/* Two jobs, of which the second is in its run "run-2". */
static GPtrArray *
make_batch (void)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (jobs, make_job ("a", "a", 1));
  g_ptr_array_add (jobs, make_job ("b", "b", 1));
  AMPS_JOB (g_ptr_array_index (jobs, 1))->run_id = g_strdup ("run-2");
  return jobs;
}

static GHashTable *
parse (const char *body, GPtrArray *jobs, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

  return amps_batch_answer_parse (bytes, jobs, error);
}

static void
test_all_done (void)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autoptr (GHashTable) of_nothing = amps_batch_answer_parse (NULL, jobs, NULL);
  g_autoptr (GHashTable) of_empty = parse ("", jobs, NULL);
  g_autoptr (GHashTable) of_none = parse ("{\"failures\":[]}", jobs, NULL);

  g_assert_cmpuint (g_hash_table_size (of_nothing), ==, 0);
  g_assert_cmpuint (g_hash_table_size (of_empty), ==, 0);
  g_assert_cmpuint (g_hash_table_size (of_none), ==, 0);
}

static void
test_long_reason (void)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autofree char *reason = g_strnfill (1024 * 1024, 'x');
  g_autofree char *body =
      g_strdup_printf ("{\"failures\":[{\"identifier\":\"a\",\"reason\":\"%s\"}]}", reason);
  g_autoptr (GHashTable) failures = parse (body, jobs, NULL);
  const AmpsBatchFailure *failure = g_hash_table_lookup (failures, g_ptr_array_index (jobs, 0));

  g_assert_cmpuint (strlen (failure->reason), ==, AMPS_FOREIGN_TEXT_MAX);
  g_assert_true (g_str_has_suffix (failure->reason, "x…"));
}

/* By what it is called in the event, or in the header. */
static void
test_failures (void)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) failures =
      parse ("{\"failures\":[{\"identifier\":\"a\",\"reason\":\"b\\u00e4d\"},"
             "{\"identifier\":\"run-2\",\"reschedule\":true,\"more\":[]}],\"more\":1}",
             jobs, &error);
  const AmpsBatchFailure *first;
  const AmpsBatchFailure *second;

  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (failures), ==, 2);
  first = g_hash_table_lookup (failures, g_ptr_array_index (jobs, 0));
  second = g_hash_table_lookup (failures, g_ptr_array_index (jobs, 1));
  g_assert_cmpstr (first->reason, ==,
                   "b\xc3\xa4"
                   "d");
  g_assert_false (first->reschedule);
  g_assert_null (second->reason);
  g_assert_true (second->reschedule);
}

/* However they are written. */
static void
test_escaped (void)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) failures =
      parse ("{\"\\u0066ailures\":[{\"identi\\u0066ier\":\"\\u0061\"},"
             "{\"identifier\":\"run\\u002d2\"}]}",
             jobs, &error);

  g_assert_no_error (error);
  g_assert_true (g_hash_table_contains (failures, g_ptr_array_index (jobs, 0)));
  g_assert_true (g_hash_table_contains (failures, g_ptr_array_index (jobs, 1)));
}

/* Nobody can tell what is done, so that nothing is. */
static void
test_nonsense (void)
{
  static const struct {
    const char *body;
    const char *detail;
  } cases[] = {
    { "null", "object" },
    { "[]", "object" },
    { "{}", "failures" },
    { "{\"failures\":{}}", "failures" },
    { "{\"failures\":null}", "failures" },
    { "{\"failures\":[1]}", "object" },
    { "{\"failures\":[null]}", "object" },
    { "{\"failures\":[{}]}", "not in it" },
    { "{\"failures\":[{\"identifier\":\"c\"}]}", "not in it" },
    { "{\"failures\":[{\"identifier\":\"a\"},{\"identifier\":\"\"}]}", "not in it" },
    { "{\"failures\":[{\"identifier\":1}]}", "type" },
    { "{\"failures\":[{\"identifier\":null}]}", "type" },
    { "{\"failures\":[{\"identifier\":\"a\",\"reason\":{}}]}", "type" },
    { "{\"failures\":[{\"identifier\":\"a\",\"reschedule\":\"true\"}]}", "type" },
    { "{\"failures\":[{\"identifier\":\"a\",\"reschedule\":null}]}", "type" },
    { "{\"failures\":[{\"identifier\":\"a\"}],\"failures\":[]}", "twice" },
    { "{\"failures\":[{\"identifier\":\"a\"}],\"failure\\u0073\":[]}", "twice" },
    { "{\"failures\":null,\"failures\":[]}", "twice" },
    { "{\"failures\":[{\"identifier\":\"a\",\"identifier\":\"b\"}]}", "twice" },
    { "{\"failures\":[{\"identifier\":\"a\",\"reason\":\"x\",\"reason\":\"y\"}]}", "twice" },
    { "{\"failures\":[{\"identifier\":\"b\"},{\"identifier\":\"run-2\"}]}", "twice" },
    { "{\"failures\":[{\"identifier\":\"a\\u0000\"}]}", "U+0000" },
    { "{\"failures\":[{\"identifier\":\"a\\u0000x\"}]}", "U+0000" },
    { "{\"failures\":[{\"identifier\":\"a\",\"reason\":\"\\u0000\"}]}", "U+0000" },
    { "done", "JSON" },
    { "{\"failures\":[]", "JSON" },
    { "{\"failures\":[]} {}", "JSON" },
    { "{\"failures\":[\xff]}", "JSON" },
    { "{\"failures\":[],\"more\":[\"\xff\"]}", "JSON" },
    { "{\"failures\":[{\"identifier\":\"\\ud83d\"}]}", "JSON" },
  };
  g_autoptr (GPtrArray) jobs = make_batch ();

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u", i);
      g_assert_null (parse (cases[i].body, jobs, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].detail));
    }
}

static void
test_depth (void)
{
  g_autoptr (GPtrArray) jobs = make_batch ();
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (deep, jobs, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batch-answer/all-done", test_all_done);
  g_test_add_func ("/batch-answer/failures", test_failures);
  g_test_add_func ("/batch-answer/long-reason", test_long_reason);
  g_test_add_func ("/batch-answer/escaped", test_escaped);
  g_test_add_func ("/batch-answer/nonsense", test_nonsense);
  g_test_add_func ("/batch-answer/depth", test_depth);
  return g_test_run ();
}
