/* SPDX-License-Identifier: MIT */
#include "amps-embedded-file-monitor.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct _AmpsEmbeddedFileMonitor {
  char *log; /* (owned) (nullable) path */
  int fd;    /* -1 when the system has none left */
};

/**
 * amps_embedded_file_monitor_new:
 *
 * Returns: (transfer full): a watch that follows nothing yet
 */
AmpsEmbeddedFileMonitor *
amps_embedded_file_monitor_new (void)
{
  AmpsEmbeddedFileMonitor *self = g_new0 (AmpsEmbeddedFileMonitor, 1);

  self->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  return self;
}

/**
 * amps_embedded_file_monitor_free:
 * @self: (transfer full): a watch
 */
void
amps_embedded_file_monitor_free (AmpsEmbeddedFileMonitor *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->log);
  g_free (self);
}

/**
 * amps_embedded_file_monitor_get_fd:
 * @self: a watch
 *
 * Returns: a descriptor that can be read when there is something new; -1 when
 *   there is none, and looking from time to time must do
 */
int
amps_embedded_file_monitor_get_fd (AmpsEmbeddedFileMonitor *self)
{
  return self->fd;
}

/**
 * amps_embedded_file_monitor_follow:
 * @self: a watch
 * @log: (nullable): the write-ahead log; %NULL for a database without one
 *
 * To be called whenever the database was opened: its log may be another one.
 */
void
amps_embedded_file_monitor_follow (AmpsEmbeddedFileMonitor *self, const char *log)
{
  g_free (self->log);
  self->log = g_strdup (log);
  if (self->fd >= 0 && log != NULL)
    inotify_add_watch (self->fd, self->log, IN_ATTRIB);
}

/**
 * amps_embedded_file_monitor_announce:
 * @self: a watch
 *
 * Tells the others of a commit. Should it not reach them, they find out when they
 * look next.
 */
void
amps_embedded_file_monitor_announce (AmpsEmbeddedFileMonitor *self)
{
  if (self->log != NULL)
    utimensat (AT_FDCWD, self->log, NULL, 0);
}

/**
 * amps_embedded_file_monitor_clear:
 * @self: a watch
 *
 * Forgets what was announced so far, one's own included.
 */
void
amps_embedded_file_monitor_clear (AmpsEmbeddedFileMonitor *self)
{
  char events[4096];

  while (self->fd >= 0 && read (self->fd, events, sizeof events) > 0)
    ;
}
