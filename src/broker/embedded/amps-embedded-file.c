/* SPDX-License-Identifier: MIT */
#include "amps-embedded-file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * amps_embedded_file_make:
 * @path: of a database
 *
 * Makes the file, if it is missing, for its owner alone: jobs may be anything, and SQLite
 * would let everybody read it that the umask does. SQLite gives the log and the shared
 * memory beside it the same mode. One that is there is not opened, since closing it would
 * take away all locks that the process has on it (fcntl(2)).
 *
 * Whatever is wrong, SQLite meets it as well, and says so.
 */
void
amps_embedded_file_make (const char *path)
{
  int fd = -1;

  if (g_path_is_absolute (path))
    fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0)
    close (fd);
}

/**
 * amps_embedded_file_describe_exposure:
 * @path: of a database
 *
 * Returns: (transfer full) (nullable): that everybody may read, or write, a file that is
 *   there; %NULL if there is none, or only its owner and its group may
 */
char *
amps_embedded_file_describe_exposure (const char *path)
{
  GStatBuf status;

  if (g_stat (path, &status) != 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == 0)
    return NULL;

  return g_strdup_printf ("%s and the jobs in it may be %s by everybody on this machine; if that "
                          "is not intended, run chmod o= %s*",
                          path, (status.st_mode & S_IWOTH) != 0 ? "changed" : "read", path);
}
