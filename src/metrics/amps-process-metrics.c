/* SPDX-License-Identifier: MIT */
#include "amps-process-metrics.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void
process_metrics_append (GString *text, AmpsMetricsFormat format, const char *name, const char *type,
                        const char *help, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (number, sizeof number, "%.15g", value);
  amps_metrics_text_append_header (text, format, name, type, help);
  g_string_append_printf (text, "%s %s\n", name, number);
}

static void
append_cpu (GString *text, AmpsMetricsFormat format)
{
  struct timespec cpu;

  if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
    process_metrics_append (text, format, "process_cpu_seconds_total", "counter",
                            "User and system CPU time.",
                            (double) cpu.tv_sec + (double) cpu.tv_nsec / 1e9);
}

static void
append_fds (GString *text, AmpsMetricsFormat format)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  struct rlimit limit;
  int open_fds = -1; /* the directory's own is none of the process's */

  if (dir != NULL)
    {
      while (g_dir_read_name (dir) != NULL)
        open_fds++;
      process_metrics_append (text, format, "process_open_fds", "gauge", "Open file descriptors.",
                              open_fds);
    }
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    process_metrics_append (text, format, "process_max_fds", "gauge",
                            "File descriptors that may be open at once.", (double) limit.rlim_cur);
}

/* Returns: when the system started, in seconds since 1970; 0 when unknown */
static double
get_boot_time (void)
{
  g_autofree char *stat = NULL;

  if (!g_file_get_contents ("/proc/stat", &stat, NULL, NULL))
    return 0;

  const char *line = strstr (stat, "\nbtime ");

  return line != NULL ? g_ascii_strtod (line + strlen ("\nbtime "), NULL) : 0;
}

/* See proc(5): fields 22 to 24 of stat, counted after the name of the command,
 * which may hold anything. */
static void
append_stat (GString *text, AmpsMetricsFormat format)
{
  g_autofree char *stat = NULL;
  unsigned long long start = 0;
  unsigned long size = 0;
  long pages = 0;

  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL))
    return;

  const char *fields = strrchr (stat, ')');

  if (fields == NULL ||
      sscanf (fields + 1,
              " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
              "%llu %lu %ld",
              &start, &size, &pages) != 3)
    return;

  process_metrics_append (text, format, "process_resident_memory_bytes", "gauge", "Memory in use.",
                          (double) pages * (double) sysconf (_SC_PAGESIZE));
  process_metrics_append (text, format, "process_virtual_memory_bytes", "gauge",
                          "Address space in use.", (double) size);
  process_metrics_append (text, format, "process_start_time_seconds", "gauge",
                          "When the process started, since 1970.",
                          get_boot_time () + (double) start / (double) sysconf (_SC_CLK_TCK));
}

/**
 * amps_process_metrics_append:
 * @text: figures so far
 * @format: what they are written in
 *
 * Appends the figures of this process that each Prometheus client library
 * exports under the same names. Blocks for as long as it takes to read a few
 * small files of procfs.
 */
void
amps_process_metrics_append (GString *text, AmpsMetricsFormat format)
{
  append_cpu (text, format);
  append_fds (text, format);
  append_stat (text, format);
}
