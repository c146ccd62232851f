/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "workload/amps-session-pool.h"

/* What one session holds, see amps-session-pool.c. */
#define FULL 32

typedef struct {
  AmpsClock *clock;
  AmpsSessionPool *pool;
  GPtrArray *acquired; /* of SoupSession */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->pool = amps_session_pool_new (f->clock, NULL);
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
  g_assert_finalize_object (f->clock);
}

/* Until there is no more; returns how many that were. */
static unsigned int
acquire_all (Fixture *f)
{
  unsigned int count = 0;
  SoupSession *session;

  while ((session = amps_session_pool_acquire (f->pool)) != NULL)
    {
      g_ptr_array_add (f->acquired, session);
      count++;
    }

  return count;
}

static void
test_limit (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpuint (acquire_all (f), ==, FULL);
  release (f, 3);
  g_assert_cmpuint (acquire_all (f), ==, 3);
}

/* libsoup's costs grow with the square of what one session has. */
static void
test_no_session_is_crowded (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GHashTable) uses = g_hash_table_new (NULL, NULL);
  GHashTableIter at;
  gpointer use;

  acquire_all (f);
  for (unsigned int i = 0; i < 8; i++)
    {
      amps_session_pool_grow (f->pool);
      g_assert_cmpuint (acquire_all (f), >, 0);
    }
  g_assert_cmpuint (f->acquired->len, >, 500);

  for (unsigned int i = 0; i < f->acquired->len; i++)
    {
      gpointer session = f->acquired->pdata[i];
      unsigned int count = GPOINTER_TO_UINT (g_hash_table_lookup (uses, session));

      g_hash_table_replace (uses, session, GUINT_TO_POINTER (count + 1));
    }
  g_hash_table_iter_init (&at, uses);
  while (g_hash_table_iter_next (&at, NULL, &use))
    g_assert_cmpuint (GPOINTER_TO_UINT (use), <=, FULL);
}

/* So that the others' connections grow idle, and close. */
static void
test_first_session_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  SoupSession *first;

  amps_session_pool_grow (f->pool);
  acquire_all (f);
  first = f->acquired->pdata[0];
  g_assert_true (f->acquired->pdata[FULL] != first);

  amps_session_pool_release (f->pool, first);
  g_assert_true (amps_session_pool_acquire (f->pool) == first);
}

static void
test_shrinks_when_idle (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (unsigned int i = 0; i < 4; i++)
    amps_session_pool_grow (f->pool);
  g_assert_cmpuint (acquire_all (f), ==, 162);

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/session-pool/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("limit", test_limit);
  ADD ("no-session-is-crowded", test_no_session_is_crowded);
  ADD ("first-session-first", test_first_session_first);
  ADD ("shrinks-when-idle", test_shrinks_when_idle);
  return g_test_run ();
}
