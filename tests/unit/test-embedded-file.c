/* SPDX-License-Identifier: MIT */
#include "broker/embedded/amps-embedded-file.h"
#include "broker/embedded/amps-embedded-store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *folder; /* (owned) */
  char *path;   /* (owned) */
  mode_t umask;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->folder = g_dir_make_tmp ("amps-file-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "queue.db", NULL);
  f->umask = umask (022);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  umask (f->umask);
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->path);
  g_free (f->folder);
}

static void
assert_mode (Fixture *f, const char *suffix, unsigned int mode)
{
  g_autofree char *path = g_strconcat (f->path, suffix, NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, mode);
}

/* Whatever the umask, and the files that SQLite puts beside it, too. */
static void
test_new (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const mode_t umasks[] = { 0, 022, 077 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (umasks); i++)
    {
      AmpsEmbeddedStore *store;

      umask (umasks[i]);
      store = amps_embedded_store_open (f->path, TRUE, NULL);
      assert_mode (f, "", 0600);
      assert_mode (f, "-wal", 0600);
      assert_mode (f, "-shm", 0600);
      g_assert_null (amps_embedded_file_describe_exposure (f->path));
      amps_embedded_store_close (store);
      g_unlink (f->path);
    }
}

/* Somebody may have meant it so; but it is told whom it lets in. */
static void
test_old (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    mode_t mode;
    const char *exposure; /* (nullable) */
  } cases[] = {
    { 0600, NULL }, { 0660, NULL }, { 0640, NULL }, { 0644, " read " }, { 0666, " changed " },
  };

  g_assert_null (amps_embedded_file_describe_exposure (f->path));
  g_assert_null (amps_embedded_file_describe_exposure (":memory:"));
  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *exposure = NULL;
      AmpsEmbeddedStore *store;

      g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
      g_assert_cmpint (g_chmod (f->path, cases[i].mode), ==, 0);
      store = amps_embedded_store_open (f->path, TRUE, NULL);
      assert_mode (f, "", cases[i].mode);
      assert_mode (f, "-wal", cases[i].mode);
      exposure = amps_embedded_file_describe_exposure (f->path);
      g_assert_cmpint (exposure != NULL, ==, cases[i].exposure != NULL);
      if (exposure != NULL)
        g_assert_nonnull (strstr (exposure, cases[i].exposure));
      amps_embedded_store_close (store);
      g_unlink (f->path);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/embedded-file/new", Fixture, NULL, set_up, test_new, tear_down);
  g_test_add ("/embedded-file/old", Fixture, NULL, set_up, test_old, tear_down);
  return g_test_run ();
}
