/* SPDX-License-Identifier: MIT */
/* To be preloaded: what the file says that FAILING_DISK_RULE names fails, such as
 * "pwrite64 28" or "fdatasync 5": a call on a regular file, and its errno. With 0 it hangs
 * until the rule is another one. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_rule (char *rule, size_t size)
{
  const char *path = getenv ("FAILING_DISK_RULE");
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t length;

  if (fd < 0)
    return 0;

  length = read (fd, rule, size - 1);
  close (fd);
  rule[length > 0 ? length : 0] = '\0';
  return length > 0;
}

static int
fails (const char *call, int fd)
{
  char rule[64];
  char name[32];
  int code;
  struct stat status;

  if (!read_rule (rule, sizeof rule) || sscanf (rule, "%31s %d", name, &code) != 2 ||
      strcmp (name, call) != 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return 0;

  if (code == 0)
    {
      usleep (10000);
      return fails (call, fd);
    }

  errno = code;
  return 1;
}

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  ssize_t (*real) (int, const void *, size_t, off64_t);

  *(void **) &real = dlsym (RTLD_NEXT, "pwrite64");
  return fails ("pwrite64", fd) ? -1 : real (fd, data, size, offset);
}

int
fdatasync (int fd)
{
  int (*real) (int);

  *(void **) &real = dlsym (RTLD_NEXT, "fdatasync");
  return fails ("fdatasync", fd) ? -1 : real (fd);
}
