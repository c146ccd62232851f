/* SPDX-License-Identifier: MIT */
#include "broker/embedded/amps-embedded-file-monitor.h"

#include <glib/gstdio.h>
#include <unistd.h>

static gboolean
is_announced (AmpsEmbeddedFileMonitor *watch)
{
  GPollFD poll = { .fd = amps_embedded_file_monitor_get_fd (watch), .events = G_IO_IN };

  g_assert_cmpint (poll.fd, >=, 0);
  return g_poll (&poll, 1, 0) == 1;
}

static void
append (const char *path)
{
  FILE *file = g_fopen (path, "a");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs ("frame", file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_announcement (void)
{
  g_autofree char *folder = g_dir_make_tmp ("amps-watch-XXXXXX", NULL);
  g_autofree char *log = g_build_filename (folder, "queue.db-wal", NULL);
  g_autoptr (AmpsEmbeddedFileMonitor) mine = amps_embedded_file_monitor_new ();
  g_autoptr (AmpsEmbeddedFileMonitor) theirs = amps_embedded_file_monitor_new ();

  append (log);
  amps_embedded_file_monitor_follow (mine, log);
  amps_embedded_file_monitor_follow (theirs, log);
  g_assert_false (is_announced (mine));

  /* A commit that is not finished is no news. */
  append (log);
  g_assert_false (is_announced (mine));

  amps_embedded_file_monitor_announce (theirs);
  g_assert_true (is_announced (mine));
  amps_embedded_file_monitor_clear (mine);
  g_assert_false (is_announced (mine));
  g_assert_true (is_announced (theirs));

  /* The file was removed, and opened anew. */
  g_unlink (log);
  append (log);
  amps_embedded_file_monitor_follow (mine, log);
  amps_embedded_file_monitor_clear (mine);
  amps_embedded_file_monitor_announce (theirs);
  g_assert_true (is_announced (mine));

  g_unlink (log);
  g_rmdir (folder);
}

static void
test_no_log (void)
{
  g_autoptr (AmpsEmbeddedFileMonitor) watch = amps_embedded_file_monitor_new ();

  amps_embedded_file_monitor_follow (watch, NULL);
  amps_embedded_file_monitor_announce (watch);
  g_assert_false (is_announced (watch));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/embedded-file-monitor/announcement", test_announcement);
  g_test_add_func ("/embedded-file-monitor/no-log", test_no_log);
  return g_test_run ();
}
