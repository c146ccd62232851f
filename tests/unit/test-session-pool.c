/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "open-descriptors.h"
#include "workload/amps-session-pool.h"

/* So many may be busy before it is known whether more would help. */
#define FULL 32

typedef struct {
  AmpsClock *clock;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  AmpsSessionPool *pool;
  GPtrArray *acquired; /* (owned) of AmpsPooledSession */
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
  f->pool = amps_session_pool_new (f->clock, f->endpoint, NULL);
  f->acquired = g_ptr_array_new ();
}

static void
release (Fixture *f, unsigned int count)
{
  for (unsigned int i = 0; i < count; i++)
    {
      amps_session_pool_release (f->pool, f->acquired->pdata[f->acquired->len - 1], NULL);
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

static AmpsPooledSession *
acquire (Fixture *f)
{
  AmpsPooledSession *session = amps_session_pool_acquire_idle (f->pool);

  return session != NULL ? session : amps_session_pool_acquire_new (f->pool);
}

/* Until there is no more; returns how many that were. */
static unsigned int
acquire_all (Fixture *f)
{
  unsigned int before = f->acquired->len;
  AmpsPooledSession *session;

  while ((session = acquire (f)) != NULL)
    g_ptr_array_add (f->acquired, session);
  return f->acquired->len - before;
}

static void
grow_to (Fixture *f, unsigned int count)
{
  while (f->acquired->len < count)
    {
      amps_session_pool_grow (f->pool);
      g_assert_cmpuint (acquire_all (f), >, 0);
    }
  g_assert_cmpuint (f->acquired->len, ==, count);
}

static unsigned int
count_shared (Fixture *f)
{
  unsigned int count = 0;

  for (unsigned int i = 0; i < f->acquired->len; i++)
    count += amps_pooled_session_is_shared (f->acquired->pdata[i]);
  return count;
}

static void
test_limit (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_null (amps_session_pool_acquire_idle (f->pool));
  g_assert_cmpuint (acquire_all (f), ==, FULL);
  release (f, 3);
  for (unsigned int i = 0; i < 3; i++)
    g_ptr_array_add (f->acquired, amps_session_pool_acquire_idle (f->pool));
  g_assert_cmpuint (acquire_all (f), ==, 0);
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
test_few_in_a_session (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer session;
  gpointer count;

  grow_to (f, 256);
  for (unsigned int i = 0; i < f->acquired->len; i++)
    {
      session = f->acquired->pdata[i];
      count = g_hash_table_lookup (counts, session);
      g_hash_table_insert (counts, session, GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
    }

  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &session, &count))
    g_assert_cmpuint (GPOINTER_TO_UINT (count), ==,
                      amps_pooled_session_is_shared (session) ? 8 : 1);
}

/* So that all connections of the others grow idle, and they close. */
static void
test_the_same_ones_are_used (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);

  grow_to (f, 256);
  release (f, 256);
  for (unsigned int i = 0; i < 1000; i++)
    {
      unsigned int count = 1 + (unsigned int) g_test_rand_int_range (0, 70);

      for (unsigned int j = 0; j < count; j++)
        {
          g_ptr_array_add (f->acquired, amps_session_pool_acquire_idle (f->pool));
          g_hash_table_add (used, f->acquired->pdata[j]);
        }
      release (f, count);
    }
  g_assert_cmpuint (g_hash_table_size (used), <=, FULL + 5);
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
      amps_session_pool_release (f->pool, acquire (f), NULL);
      fake_clock_advance (f->clock, AMPS_SECONDS (6));
    }
  g_assert_cmpuint (acquire_all (f), ==, FULL);
}

typedef struct {
  GSource source;
  unsigned int before;
  unsigned int most_in_turn; /* descriptors that were closed */
} Turns;

static gboolean
on_turn (GSource *source, int *timeout)
{
  Turns *turns = (Turns *) source;
  unsigned int count = count_open_descriptors ();

  if (count < turns->before)
    turns->most_in_turn = MAX (turns->most_in_turn, turns->before - count);
  turns->before = count;
  *timeout = -1;
  return FALSE;
}

/* And not all in one turn of the main loop, which would hold up everything else. */
static void
test_idle_ones_are_closed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static GSourceFuncs functions = { .prepare = on_turn };
  g_autoptr (GSource) source = g_source_new (&functions, sizeof (Turns));
  Turns *turns = (Turns *) source;
  unsigned int before = count_open_descriptors ();
  unsigned int full;
  gpointer last;

  g_source_attach (source, NULL);
  grow_to (f, 1024);
  last = g_ptr_array_steal_index (f->acquired, 1023);
  g_ptr_array_insert (f->acquired, 0, last);
  fake_clock_advance (f->clock, 0);
  full = count_open_descriptors ();
  g_assert_cmpuint (full, >, before + 20);

  release (f, 1023);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_cmpuint (count_open_descriptors (), ==, full);

  /* One has a request. What runs the nested contexts stays. */
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpuint (count_open_descriptors (), ==, before + 2 + 1);
  g_assert_cmpuint (turns->most_in_turn, ==, 4);
  release (f, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_cmpuint (count_open_descriptors (), ==, before + 2 + 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_cmpuint (count_open_descriptors (), ==, before + 2);
  g_source_destroy (source);
}

/* The workload may be closing its connection; and which one libsoup uses is not known. */
static void
test_old_ones_are_not_used (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsPooledSession *session;

  grow_to (f, 256);
  session = f->acquired->pdata[255];
  g_assert_true (session == f->acquired->pdata[250]);
  release (f, 1);
  fake_clock_skip (f->clock, AMPS_SECONDS (2));
  release (f, 1);
  fake_clock_skip (f->clock, AMPS_SECONDS (2));
  g_assert_null (amps_session_pool_acquire_idle (f->pool));

  /* Nor are others of its connections, until all that are idle have been closed. */
  release (f, 1);
  g_assert_null (amps_session_pool_acquire_idle (f->pool));
  g_ptr_array_add (f->acquired, amps_session_pool_acquire_new (f->pool));
  g_assert_true (f->acquired->pdata[253] != session);
  fake_clock_advance (f->clock, 0);
  g_assert_null (amps_session_pool_acquire_idle (f->pool));
  g_ptr_array_add (f->acquired, amps_session_pool_acquire_new (f->pool));
  g_assert_true (f->acquired->pdata[254] == session);
}

/* Which takes less memory. */
static void
test_most_are_shared (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  acquire_all (f);
  g_assert_cmpuint (count_shared (f), ==, 0);
  grow_to (f, 1024);
  g_assert_cmpuint (count_shared (f), ==, 1024 - FULL);

  /* Those that are not are the first to be used again, and to be made. */
  release (f, 1024);
  for (unsigned int i = 0; i < FULL; i++)
    g_ptr_array_add (f->acquired, amps_session_pool_acquire_idle (f->pool));
  g_assert_cmpuint (count_shared (f), ==, 0);
  acquire_all (f);
  g_assert_cmpuint (count_shared (f), ==, 1024 - FULL);
  release (f, 1024);
  fake_clock_advance (f->clock, AMPS_SECONDS (4));
  acquire_all (f);
  g_assert_cmpuint (count_shared (f), ==, f->acquired->len - FULL);
}

/* All are in the main context then, rather than none. */
static void
test_too_few_descriptors (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 limit = limit_open_descriptors (3);

  grow_to (f, 64);
  limit_open_descriptors (limit);
  g_assert_cmpuint (count_shared (f), ==, 0);
  grow_to (f, 128);
  g_assert_cmpuint (count_shared (f), ==, 64);
  limit_open_descriptors (3);
  grow_to (f, 256);
  limit_open_descriptors (limit);
  g_assert_cmpuint (count_shared (f), ==, 64);

  release (f, 256);
  for (unsigned int i = 0; i < 256; i++)
    g_ptr_array_add (f->acquired, amps_session_pool_acquire_idle (f->pool));
  g_assert_cmpuint (count_shared (f), ==, 64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/session-pool/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("limit", test_limit);
  ADD ("grows-when-full", test_grows_when_full);
  ADD ("few-in-a-session", test_few_in_a_session);
  ADD ("the-same-ones-are-used", test_the_same_ones_are_used);
  ADD ("shrinks-when-idle", test_shrinks_when_idle);
  ADD ("idle-ones-are-closed", test_idle_ones_are_closed);
  ADD ("old-ones-are-not-used", test_old_ones_are_not_used);
  ADD ("most-are-shared", test_most_are_shared);
  ADD ("too-few-descriptors", test_too_few_descriptors);
  return g_test_run ();
}
