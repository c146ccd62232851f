/* SPDX-License-Identifier: MIT */
/* To be preloaded: the wall clock is off by as many seconds as the file says that
 * WALL_CLOCK names. All other clocks are right. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
read_offset (void)
{
  const char *path = getenv ("WALL_CLOCK");
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  char text[32] = "";

  if (fd < 0)
    return 0;

  if (read (fd, text, sizeof text - 1) < 0)
    text[0] = '\0';
  close (fd);
  return strtol (text, NULL, 10);
}

int
clock_gettime (clockid_t clock, struct timespec *time)
{
  int result = (int) syscall (SYS_clock_gettime, clock, time);

  if (result == 0 && clock == CLOCK_REALTIME)
    time->tv_sec += read_offset ();
  return result;
}

int
gettimeofday (struct timeval *time, void *zone)
{
  struct timespec now;

  (void) zone;
  clock_gettime (CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
