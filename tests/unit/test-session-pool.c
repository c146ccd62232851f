/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "workload/amps-session-pool.h"

/* So many may be busy before it is known whether more would help. */
#define FULL 32

typedef struct {
  AmpsClock *clock;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  AmpsSessionPool *pool;
  GPtrArray *acquired; /* (owned) of SoupSession */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const environment[] = { "BROKER_SUBJECT=jobs", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (GError) error = NULL;

  f->clock = fake_clock_new ();
  f->config = amps_config_new (environment, NULL, none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
  f->pool = amps_session_pool_new (f->clock, f->endpoint);
  f->acquired = g_ptr_array_new ();
}

static void
release (Fixture *f, unsigned int count)
{
  for (unsigned int i = 0; i < count; i++)
    {
      amps_session_pool_release (f->pool, f->acquired->pdata[f->acquired->len - 1]);
      g_ptr_array_set_size (f->acquired, (int) f->acquired->len - 1);
    }
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  release (f, f->acquired->len);
  g_ptr_array_unref (f->acquired);
  amps_session_pool_free (f->pool);
  g_assert_finalize_object (f->endpoint);
  g_assert_finalize_object (f->config);
  g_assert_finalize_object (f->clock);
}

/* Until there is no more, and each of them connects; returns how many that were. */
static unsigned int
acquire_all (Fixture *f)
{
  unsigned int count = 0;
  SoupSession *session;

  while ((session = amps_session_pool_acquire (f->pool)) != NULL)
    {
      amps_session_pool_connected (f->pool, session);
      g_ptr_array_add (f->acquired, session);
      count++;
    }

  return count;
}

static unsigned int
acquire_connecting (Fixture *f)
{
  unsigned int before = f->acquired->len;
  SoupSession *session;

  while ((session = amps_session_pool_acquire (f->pool)) != NULL)
    g_ptr_array_add (f->acquired, session);
  return f->acquired->len - before;
}

/* The first request would have to wait for all others. */
static void
test_few_connect_at_once (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpuint (acquire_connecting (f), ==, 8);
  g_assert_true (amps_session_pool_connected (f->pool, f->acquired->pdata[3]));
  g_assert_false (amps_session_pool_connected (f->pool, f->acquired->pdata[3]));
  g_assert_cmpuint (acquire_connecting (f), ==, 1);

  /* One that is idle is connected; one that failed is not connecting any more. */
  release (f, 1);
  g_assert_cmpuint (acquire_connecting (f), ==, 2);

  /* Those that take long do not keep others from it. */
  g_assert_true (amps_session_pool_overlook_connecting (f->pool));
  g_assert_false (amps_session_pool_overlook_connecting (f->pool));
  g_assert_cmpuint (acquire_connecting (f), ==, 8);
}

static void
test_limit (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpuint (acquire_all (f), ==, FULL);
  release (f, 3);
  g_assert_cmpuint (acquire_all (f), ==, 3);
}

/* Whoever waits while there are some that are free waits for something else. */
static void
test_grows_when_full (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  acquire_all (f);
  release (f, 1);
  amps_session_pool_grow (f->pool);
  g_assert_cmpuint (acquire_all (f), ==, 1);
  amps_session_pool_grow (f->pool);
  g_assert_cmpuint (acquire_all (f), ==, FULL);
}

/* At each step of a request a session looks at all its connections. */
static void
test_a_session_for_each (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GHashTable) sessions = g_hash_table_new (NULL, NULL);

  acquire_all (f);
  amps_session_pool_grow (f->pool);
  g_assert_cmpuint (acquire_all (f), >, 0);
  for (unsigned int i = 0; i < f->acquired->len; i++)
    {
      int max_conns;

      g_assert_true (g_hash_table_add (sessions, f->acquired->pdata[i]));
      g_object_get (f->acquired->pdata[i], "max-conns", &max_conns, NULL);
      g_assert_cmpint (max_conns, ==, 1);
    }
}

/* So that the others' connections grow idle, and close. */
static void
test_last_used_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  SoupSession *first = amps_session_pool_acquire (f->pool);
  SoupSession *second = amps_session_pool_acquire (f->pool);

  amps_session_pool_release (f->pool, first);
  amps_session_pool_release (f->pool, second);
  g_assert_true (amps_session_pool_acquire (f->pool) == second);
  g_assert_true (amps_session_pool_acquire (f->pool) == first);
  amps_session_pool_release (f->pool, second);
  amps_session_pool_release (f->pool, first);
}

static void
test_shrinks_when_idle (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  acquire_all (f);
  amps_session_pool_grow (f->pool);
  g_assert_cmpuint (acquire_all (f), ==, FULL);

  /* As long as they are needed, they stay. */
  for (unsigned int i = 0; i < 5; i++)
    {
      fake_clock_advance (f->clock, AMPS_SECONDS (6));
      g_assert_cmpuint (acquire_all (f), ==, 0);
    }

  release (f, f->acquired->len);
  for (unsigned int i = 0; i < 10; i++)
    {
      SoupSession *session = amps_session_pool_acquire (f->pool);

      amps_session_pool_release (f->pool, session);
      fake_clock_advance (f->clock, AMPS_SECONDS (6));
    }
  g_assert_cmpuint (acquire_all (f), ==, FULL);
}

typedef struct {
  GSource source;
  unsigned int total;
  unsigned int in_turn;
  unsigned int most_in_turn;
} Freed;

static gboolean
on_turn (GSource *source, int *timeout)
{
  ((Freed *) source)->in_turn = 0;
  *timeout = -1;
  return FALSE;
}

static void
count_freed (gpointer data, GObject *where G_GNUC_UNUSED)
{
  Freed *freed = data;

  freed->total++;
  freed->in_turn++;
  freed->most_in_turn = MAX (freed->most_in_turn, freed->in_turn);
}

/* And not all in one turn of the main loop, which would hold up everything else. */
static void
test_idle_ones_are_freed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static GSourceFuncs functions = { .prepare = on_turn };
  g_autoptr (GSource) source = g_source_new (&functions, sizeof (Freed));
  Freed *freed = (Freed *) source;
  unsigned int count;

  g_source_attach (source, NULL);
  acquire_all (f);
  amps_session_pool_grow (f->pool);
  acquire_all (f);
  count = f->acquired->len;
  for (unsigned int i = 0; i < count; i++)
    g_object_weak_ref (f->acquired->pdata[i], count_freed, freed);

  release (f, count - 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_cmpuint (freed->total, ==, 0);

  release (f, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpuint (freed->total, ==, count - 1);
  g_assert_cmpuint (freed->most_in_turn, ==, 32);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_cmpuint (freed->total, ==, count);
  g_source_destroy (source);
}

/* The workload may be closing its connection. */
static void
test_old_ones_are_not_used (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  SoupSession *session = amps_session_pool_acquire (f->pool);

  g_object_ref (session);
  amps_session_pool_release (f->pool, session);
  fake_clock_skip (f->clock, AMPS_SECONDS (4));
  g_ptr_array_add (f->acquired, amps_session_pool_acquire (f->pool));
  g_assert_true (f->acquired->pdata[0] != session);
  g_assert_finalize_object (session);
}

static unsigned int
count_grouped (Fixture *f)
{
  unsigned int count = 0;

  for (unsigned int i = 0; i < f->acquired->len; i++)
    count += g_object_get_data (f->acquired->pdata[i], "amps-session-pool-group") != NULL;
  return count;
}

static void
grow_to (Fixture *f, unsigned int count)
{
  while (f->acquired->len < count)
    {
      amps_session_pool_grow (f->pool);
      g_assert_cmpuint (acquire_all (f), >, 0);
    }
}

/* A turn of the main loop looks at none of a thousand; and a few need no turns of their own. */
static void
test_all_in_groups_or_none (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  unsigned int n_first;

  grow_to (f, 512);
  n_first = f->acquired->len - count_grouped (f);
  g_assert_cmpuint (n_first, >, 0);
  g_assert_cmpuint (n_first, <, 128);
  release (f, f->acquired->len);
  g_assert_cmpuint (acquire_all (f), ==, 512);
  g_assert_cmpuint (count_grouped (f), ==, 512 - n_first);

  /* Each is closed when it has been used, and then made anew. */
  grow_to (f, 1024);
  g_assert_cmpuint (count_grouped (f), ==, 1024 - n_first);
  release (f, 1024);
  fake_clock_advance (f->clock, 0);
  acquire_all (f);
  g_assert_cmpuint (count_grouped (f), ==, 1024);

  /* Two are in use for so long that no more of them are needed. */
  release (f, 1022);
  for (unsigned int i = 0; i < 10; i++)
    {
      fake_clock_advance (f->clock, AMPS_SECONDS (6));
      amps_session_pool_release (f->pool, amps_session_pool_acquire (f->pool));
    }
  g_assert_cmpuint (count_grouped (f), ==, 2);
  release (f, 2);
  fake_clock_advance (f->clock, 0);
  g_assert_cmpuint (acquire_all (f), ==, FULL);
  g_assert_cmpuint (count_grouped (f), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/session-pool/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("limit", test_limit);
  ADD ("few-connect-at-once", test_few_connect_at_once);
  ADD ("grows-when-full", test_grows_when_full);
  ADD ("a-session-for-each", test_a_session_for_each);
  ADD ("last-used-first", test_last_used_first);
  ADD ("shrinks-when-idle", test_shrinks_when_idle);
  ADD ("idle-ones-are-freed", test_idle_ones_are_freed);
  ADD ("old-ones-are-not-used", test_old_ones_are_not_used);
  ADD ("all-in-groups-or-none", test_all_in_groups_or_none);
  return g_test_run ();
}
