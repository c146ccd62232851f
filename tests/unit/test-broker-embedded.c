/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/embedded/amps-broker-embedded.h"
#include "fixture-tests.h"
#include "log-recorder.h"
#include "shifted-clock.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>

#define LEASE_MS 1000 /* the shortest */
#define PREFETCH 8
#define N_JOBS 60

typedef struct {
  char *folder; /* (owned) */
  char *path;   /* (owned) */
  AmpsClock *clock;
  unsigned int n_published;
  unsigned int n_failed;
  unsigned int n_settled;
  GHashTable *seen; /* (owned) ids that were delivered */
} Fixture;

/* One of the processes that share the file, as it were. */
typedef struct {
  Fixture *fixture;
  AmpsBroker *broker; /* (owned) */
  unsigned int n_held;
  unsigned int n_delivered;
  unsigned int n_lost;
} Process;

typedef struct {
  Process *process;
  AmpsJob *job; /* (owned) */
} Run;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->folder = g_dir_make_tmp ("amps-embedded-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "queue.db", NULL);
  f->clock = amps_clock_new ();
  f->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_hash_table_unref (f->seen);
  g_object_unref (f->clock);
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->path);
  g_free (f->folder);
}

static gboolean
end_run (gpointer user_data)
{
  Run *run = user_data;

  amps_broker_settle (run->process->broker, amps_job_get_delivery (run->job),
                      AMPS_SETTLE_ACKNOWLEDGE);
  run->process->n_held--;
  run->process->fixture->n_settled++;
  g_object_unref (run->job);
  g_free (run);
  return G_SOURCE_REMOVE;
}

/* Some jobs last for several leases. */
static void
on_delivered (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, Process *process)
{
  Run *run = g_new0 (Run, 1);

  g_assert_false (amps_job_get_delivery (job)->redelivered);
  g_assert_true (g_hash_table_add (process->fixture->seen, g_strdup (amps_job_get_id (job))));
  g_assert_cmpuint (++process->n_held, <=, PREFETCH);
  process->n_delivered++;
  run->process = process;
  run->job = g_object_ref (job);
  g_timeout_add ((guint) (process->n_delivered % 7 == 0 ? 2500 : g_random_int_range (1, 500)),
                 end_run, run);
}

static void
on_lost (AmpsBroker *broker G_GNUC_UNUSED, unsigned int epoch G_GNUC_UNUSED, Process *process)
{
  process->n_lost++;
}

static void
start (Process *process, Fixture *f, const char *location)
{
  static const char *const none[] = { NULL };
  g_autofree char *uri = g_strdup_printf ("BROKER_HOST=sqlite:%s?lease=%dms", location, LEASE_MS);
  const char *const environment[] = { uri, "BROKER_SUBJECT=jobs",
                                      "MAX_CONCURRENCY=" G_STRINGIFY (PREFETCH), NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = amps_config_new (environment, NULL, none, &error);

  g_assert_no_error (error);
  process->fixture = f;
  process->broker = amps_broker_embedded_new (config, f->clock);
  g_signal_connect (process->broker, "delivered", G_CALLBACK (on_delivered), process);
  g_signal_connect (process->broker, "lost", G_CALLBACK (on_lost), process);
  amps_broker_set_consuming (process->broker, TRUE);
  amps_broker_start (process->broker);
  while (amps_broker_get_state (process->broker) != AMPS_BROKER_CONSUMING)
    g_main_context_iteration (NULL, TRUE);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (amps_broker_stop_finish (AMPS_BROKER (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

static void
stop (Process *process)
{
  gboolean stopped = FALSE;

  amps_broker_stop_async (process->broker, NULL, on_stopped, &stopped);
  while (!stopped)
    g_main_context_iteration (NULL, TRUE);
  g_clear_object (&process->broker);
}

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  if (amps_broker_publish_finish (AMPS_BROKER (source), result, &error))
    f->n_published++;
  else
    f->n_failed++;
}

static void
publish (Process *process, unsigned int number)
{
  g_autofree char *json = g_strdup_printf (
      "{\"specversion\":\"1.0\",\"id\":\"%u\",\"source\":\"/test\",\"type\":\"jobs\"}", number);
  g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));

  amps_broker_publish_async (process->broker, "jobs", NULL, NULL, body, NULL, on_published,
                             process->fixture);
}

/* Two that renew while they claim and settle: never more than the prefetch is out,
 * and no job is handed out twice, however long it runs. */
static void
test_leases_outlast_jobs (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process processes[2] = { 0 };
  g_autofree char *location = g_strconcat ("//", f->path, NULL);

  for (unsigned int i = 0; i < 2; i++)
    start (&processes[i], f, location);
  for (unsigned int i = 0; i < N_JOBS; i++)
    publish (&processes[i % 2], i);
  while (f->n_settled < N_JOBS)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (f->n_published, ==, N_JOBS);
  for (unsigned int i = 0; i < 2; i++)
    {
      g_assert_cmpuint (processes[i].n_delivered, >, 0);
      g_assert_cmpuint (processes[i].n_held, ==, 0);
      g_assert_cmpuint (processes[i].n_lost, ==, 0);
      stop (&processes[i]);
    }
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (amps_broker_settle_finish (AMPS_BROKER (source), result, &error), ==,
                   AMPS_SETTLED_ACKNOWLEDGED);
  g_assert_no_error (error);
  *(gboolean *) user_data = TRUE;
}

static void
on_delivered_in_stream (AmpsBroker *broker, AmpsJob *job, AmpsJob **longest)
{
  g_assert_false (amps_job_get_delivery (job)->redelivered);
  if (*longest == NULL)
    *longest = g_object_ref (job);
  else
    amps_broker_settle (broker, amps_job_get_delivery (job), AMPS_SETTLE_ACKNOWLEDGE);
}

/* Leases are renewed in transactions that settle and claim others. */
static void
test_lease_outlasts_a_stream (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };
  gint64 end = g_get_monotonic_time () + 4 * LEASE_MS * 1000;
  gboolean settled = FALSE;
  g_autoptr (AmpsJob) longest = NULL;

  start (&process, f, ":memory:");
  g_signal_handlers_disconnect_by_func (process.broker, on_delivered, &process);
  g_signal_connect (process.broker, "delivered", G_CALLBACK (on_delivered_in_stream), &longest);
  for (unsigned int i = 0; g_get_monotonic_time () < end; i++)
    {
      publish (&process, i);
      while (f->n_published <= i)
        g_main_context_iteration (NULL, TRUE);
    }

  amps_broker_settle_async (process.broker, amps_job_get_delivery (longest), &acknowledge, NULL,
                            on_settled, &settled);
  while (!settled)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (process.n_lost, ==, 0);
  stop (&process);
}

static void
test_memory (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };

  start (&process, f, ":memory:");
  for (unsigned int i = 0; i < 6; i++)
    publish (&process, i);
  while (f->n_settled < 6)
    g_main_context_iteration (NULL, TRUE);
  stop (&process);
}

/* Each publication is answered, those that come with the end, too. */
static void
test_stop_answers_all (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };

  start (&process, f, ":memory:");
  amps_broker_set_consuming (process.broker, FALSE);
  for (unsigned int i = 0; i < 50; i++)
    publish (&process, i);
  stop (&process);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_published + f->n_failed, ==, 50);
}

/* Whoever does not give up. */
typedef struct {
  Process *process;
  AmpsJob *job; /* (owned) */
  unsigned int n_told;
} Stubborn;

static void settle_stubbornly (Stubborn *self);

static void
on_settled_stubbornly (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Stubborn *self = user_data;

  g_assert_cmpint (amps_broker_settle_finish (AMPS_BROKER (source), result, NULL), ==,
                   AMPS_SETTLED_NOT);
  self->n_told++;
  if (amps_broker_is_alive (AMPS_BROKER (source), amps_job_get_delivery (self->job)))
    settle_stubbornly (self);
}

static void
settle_stubbornly (Stubborn *self)
{
  AmpsSettlement retry = { .kind = AMPS_SETTLE_RETRY };

  amps_broker_settle_async (self->process->broker, amps_job_get_delivery (self->job), &retry, NULL,
                            on_settled_stubbornly, self);
}

static void
on_delivered_to_stubborn (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, GArray *stubborn)
{
  Stubborn one = { NULL, g_object_ref (job), 0 };

  g_array_append_val (stubborn, one);
}

/* Another program has the file, and whoever is told that a settlement failed tries
 * again at once. */
static void
test_stop_while_locked (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  g_autoptr (GArray) stubborn = g_array_new (FALSE, FALSE, sizeof (Stubborn));
  g_autofree char *location = g_strconcat ("//", f->path, NULL);
  g_autofree char *warnings = NULL;
  sqlite3 *other;

  log_recorder_start ();
  start (&process, f, location);
  g_signal_handlers_disconnect_by_func (process.broker, on_delivered, &process);
  g_signal_connect (process.broker, "delivered", G_CALLBACK (on_delivered_to_stubborn), stubborn);
  for (unsigned int i = 0; i < PREFETCH; i++)
    publish (&process, i);
  while (stubborn->len < PREFETCH)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpint (sqlite3_open (f->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
  for (unsigned int i = 0; i < PREFETCH; i++)
    {
      g_array_index (stubborn, Stubborn, i).process = &process;
      settle_stubbornly (&g_array_index (stubborn, Stubborn, i));
    }
  stop (&process);

  g_assert_cmpuint (process.n_lost, ==, 1);
  for (unsigned int i = 0; i < PREFETCH; i++)
    {
      g_assert_cmpuint (g_array_index (stubborn, Stubborn, i).n_told, ==, 2);
      g_object_unref (g_array_index (stubborn, Stubborn, i).job);
    }
  sqlite3_close (other);
  warnings = log_recorder_take ();
  g_assert_nonnull (strstr (warnings, "database is locked"));
}

static void
on_delivered_again (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, GPtrArray *jobs)
{
  g_ptr_array_add (jobs, g_object_ref (job));
}

/* As when the process was suspended, and the worker's thread has not noticed yet: the lease
 * is over by the clock, at once; nobody took the job, so it comes again. */
static void
test_lease_ends_by_the_clock (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };
  gboolean settled = FALSE;
  const AmpsDelivery *first;
  const AmpsDelivery *second;

  g_object_unref (f->clock);
  f->clock = shifted_clock_new ();
  start (&process, f, ":memory:");
  g_signal_handlers_disconnect_by_func (process.broker, on_delivered, &process);
  g_signal_connect (process.broker, "delivered", G_CALLBACK (on_delivered_again), jobs);
  publish (&process, 1);
  while (jobs->len < 1)
    g_main_context_iteration (NULL, TRUE);

  first = amps_job_get_delivery (jobs->pdata[0]);
  g_assert_true (amps_broker_has_leases (process.broker));
  g_assert_true (amps_broker_is_leased (process.broker, first));
  shifted_clock_set_shift (SHIFTED_CLOCK (f->clock), LEASE_MS * 1000);
  g_assert_false (amps_broker_is_leased (process.broker, first));
  g_assert_cmpuint (process.n_lost, ==, 1);
  g_assert_false (amps_broker_is_leased (process.broker, first));
  shifted_clock_set_shift (SHIFTED_CLOCK (f->clock), 0);

  while (jobs->len < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (process.n_lost, ==, 1);
  second = amps_job_get_delivery (jobs->pdata[1]);
  g_assert_true (second->redelivered);
  g_assert_cmpuint (second->epoch, ==, first->epoch + 1);
  g_assert_false (amps_broker_is_leased (process.broker, first));
  g_assert_true (amps_broker_is_leased (process.broker, second));
  amps_broker_settle_async (process.broker, amps_job_get_delivery (jobs->pdata[1]), &acknowledge,
                            NULL, on_settled, &settled);
  while (!settled)
    g_main_context_iteration (NULL, TRUE);
  stop (&process);
}

/* Of this thread alone, in ns. */
static gint64
get_cpu_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

static void
on_delivered_once (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, AmpsJob **delivered)
{
  *delivered = g_object_ref (job);
}

/* What a body of megabytes costs is spent in the worker's thread. */
static void
test_large_event_does_not_keep_the_main_loop (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  g_autofree char *filler = g_strnfill (8 * 1024 * 1024, 'x');
  g_autofree char *json = g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"large\",\"source\":"
                                           "\"/\",\"type\":\"jobs\",\"data\":\"%s\"}",
                                           filler);
  g_autoptr (GBytes) body = g_bytes_new_static (json, strlen (json));
  g_autoptr (AmpsCloudEvent) scanned = NULL;
  g_autoptr (AmpsJob) job = NULL;
  gint64 began = get_cpu_time ();
  gint64 scan;

  scanned = amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_LENIENT, NULL);
  scan = get_cpu_time () - began;
  start (&process, f, ":memory:");
  g_signal_handlers_disconnect_by_func (process.broker, on_delivered, &process);
  g_signal_connect (process.broker, "delivered", G_CALLBACK (on_delivered_once), &job);

  began = get_cpu_time ();
  amps_broker_publish_async (process.broker, "jobs", NULL, NULL, body, NULL, on_published, f);
  while (job == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (get_cpu_time () - began, <, scan / 2);
  g_assert_cmpstr (amps_job_get_id (job), ==, scanned->id);
  g_assert_true (g_bytes_equal (amps_job_get_body (job), body));
  stop (&process);
}

static void
on_delivered_malformed (AmpsBroker *broker, AmpsJob *job, GString *problems)
{
  g_string_append_printf (problems, "%s; ", amps_job_get_problem (job)->message);
  g_assert_null (amps_job_get_id (job));
  amps_broker_settle (broker, amps_job_get_delivery (job), AMPS_SETTLE_ACKNOWLEDGE);
}

static void
test_malformed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  g_autofree char *large = g_strnfill (17 * 1024 * 1024, 'x');
  g_autoptr (GBytes) text = g_bytes_new_static ("{]", 2);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) too_large = g_bytes_new_static (large, strlen (large));
  GBytes *const bodies[] = { text, nothing, too_large };
  g_autoptr (GString) problems = g_string_new (NULL);

  start (&process, f, ":memory:");
  g_signal_handlers_disconnect_by_func (process.broker, on_delivered, &process);
  g_signal_connect (process.broker, "delivered", G_CALLBACK (on_delivered_malformed), problems);
  for (unsigned int i = 0; i < G_N_ELEMENTS (bodies); i++)
    amps_broker_publish_async (process.broker, "jobs", NULL, NULL, bodies[i], NULL, on_published,
                               f);
  while (strstr (problems->str, "MAX_BODY_SIZE") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->n_published, ==, 3);
  g_assert_nonnull (strstr (problems->str, "not JSON: "));
  g_assert_nonnull (strstr (problems->str, "not a JSON object; "));
  g_assert_nonnull (strstr (problems->str, "it has 17825792 bytes, and MAX_BODY_SIZE is 16777216"));
  stop (&process);
}

static void
on_counted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsQueueDepths) depths =
      amps_broker_count_messages_finish (AMPS_BROKER (source), result, &error);
  GString *text = user_data;

  if (depths != NULL)
    amps_queue_depths_append (depths, text);
  else
    g_string_assign (text, error->message);
}

static void
test_count (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  Process process = { 0 };
  g_autoptr (GString) counted = g_string_new (NULL);
  g_autoptr (GString) too_late = g_string_new (NULL);

  start (&process, f, ":memory:");
  amps_broker_set_consuming (process.broker, FALSE);
  for (unsigned int i = 0; i < 6; i++)
    publish (&process, i);
  while (f->n_published < 6)
    g_main_context_iteration (NULL, TRUE);

  amps_broker_count_messages_async (process.broker, NULL, on_counted, counted);
  while (counted->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (counted->str, "amps_queue_messages{queue=\"jobs\"} 6\n"
                                          "amps_queue_messages{queue=\"jobs.dead\"} 0\n"
                                          "amps_queue_messages{queue=\"jobs.retry\"} 0\n"));

  /* Whoever asks is answered, at the end, too. */
  amps_broker_count_messages_async (process.broker, NULL, on_counted, too_late);
  stop (&process);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (too_late->len, >, 0);
}

FIXTURE_TESTS = {
  { "/broker-embedded/leases-outlast-jobs", test_leases_outlast_jobs },
  { "/broker-embedded/lease-outlasts-a-stream", test_lease_outlasts_a_stream },
  { "/broker-embedded/memory", test_memory },
  { "/broker-embedded/lease-ends-by-the-clock", test_lease_ends_by_the_clock },
  { "/broker-embedded/large-event", test_large_event_does_not_keep_the_main_loop },
  { "/broker-embedded/malformed", test_malformed },
  { "/broker-embedded/stop-answers-all", test_stop_answers_all },
  { "/broker-embedded/stop-while-locked", test_stop_while_locked },
  { "/broker-embedded/count", test_count },
};

FIXTURE_TESTS_MAIN
