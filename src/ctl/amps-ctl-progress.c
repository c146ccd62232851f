/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-progress.h"

#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* µs: faster than people see it would only cost time. */
#define MIN_INTERVAL (G_USEC_PER_SEC / 10)
#define DEFAULT_WIDTH 80
/* Columns: a shorter bar says less than the number beside it. */
#define MIN_BAR 10
#define MAX_BAR 40

struct _AmpsCtlProgress {
  char *label; /* (owned) */
  guint64 total;
  guint64 done;
  gint64 begun; /* monotonic µs */
  gint64 drawn; /* likewise; 0 if nothing stands there */
  gboolean is_shown;
};

/**
 * amps_ctl_progress_new:
 * @label: what is done, translated
 * @total: how much there is to do; 0 if nobody knows
 *
 * Returns: (transfer full): a progress
 */
AmpsCtlProgress *
amps_ctl_progress_new (const char *label, guint64 total)
{
  AmpsCtlProgress *self = g_new0 (AmpsCtlProgress, 1);
  const char *terminal = g_getenv ("TERM");

  self->label = g_strdup (label);
  self->total = total;
  self->begun = g_get_monotonic_time ();
  self->is_shown = isatty (STDERR_FILENO) && g_strcmp0 (terminal, "dumb") != 0;
  return self;
}

/**
 * amps_ctl_progress_free:
 * @self: (transfer full): a progress; its line is cleared
 */
void
amps_ctl_progress_free (AmpsCtlProgress *self)
{
  amps_ctl_progress_hide (self);
  g_free (self->label);
  g_free (self);
}

/**
 * amps_ctl_progress_set_total:
 * @self: a progress
 * @total: how much there is to do
 */
void
amps_ctl_progress_set_total (AmpsCtlProgress *self, guint64 total)
{
  self->total = total;
}

static unsigned int
get_width (void)
{
  struct winsize size;

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_WIDTH;
  return size.ws_col;
}

static void
append_bar (GString *line, guint64 done, guint64 total, unsigned int width)
{
  unsigned int filled = (unsigned int) ((double) MIN (done, total) / (double) total * width);

  g_string_append (line, " [");
  for (unsigned int i = 0; i < width; i++)
    g_string_append_c (line, i < filled ? '#' : '-');
  g_string_append_c (line, ']');
}

/**
 * amps_ctl_progress_format:
 * @label: what is done
 * @done: how much of it
 * @total: how much there is to do; 0 if nobody knows
 * @elapsed: µs since it began
 * @width: how many columns there are
 *
 * Returns: (transfer full): a line that is shorter than @width
 */
char *
amps_ctl_progress_format (const char *label, guint64 done, guint64 total, gint64 elapsed,
                          unsigned int width)
{
  double rate = elapsed > 0 ? (double) done * G_USEC_PER_SEC / (double) elapsed : 0;
  g_autoptr (GString) numbers = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (label);
  g_autoptr (GString) fitting = g_string_new (NULL);
  unsigned int taken;

  if (total > 0)
    g_string_append_printf (numbers, " %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " %3.0f%%", done,
                            total, 100 * (double) MIN (done, total) / (double) total);
  else
    g_string_append_printf (numbers, " %" G_GUINT64_FORMAT, done);
  g_string_append_printf (numbers, _ (" %.0f/s"), rate);

  taken = amps_ctl_text_get_width (line->str) + amps_ctl_text_get_width (numbers->str) + 3 + 1;
  if (total > 0 && taken + MIN_BAR <= width)
    append_bar (line, done, total, MIN (width - taken, MAX_BAR));
  g_string_append (line, numbers->str);

  taken = amps_ctl_text_get_width (line->str);
  amps_ctl_text_append (fitting, line->str, MIN (taken, MAX (width, 2) - 1), FALSE);
  return g_string_free (g_steal_pointer (&fitting), FALSE);
}

static void
ctl_progress_draw (AmpsCtlProgress *self, gint64 now)
{
  g_autofree char *line = amps_ctl_progress_format (self->label, self->done, self->total,
                                                    now - self->begun, get_width ());

  fprintf (stderr, "\r%s\033[K", line);
  self->drawn = now;
}

/**
 * amps_ctl_progress_set_done:
 * @self: a progress
 * @done: how much is done
 */
void
amps_ctl_progress_set_done (AmpsCtlProgress *self, guint64 done)
{
  gint64 now = g_get_monotonic_time ();

  self->done = done;
  if (self->is_shown && now - self->drawn >= MIN_INTERVAL)
    ctl_progress_draw (self, now);
}

/**
 * amps_ctl_progress_hide:
 * @self: a progress
 *
 * Clears its line, so that another one can be written there.
 */
void
amps_ctl_progress_hide (AmpsCtlProgress *self)
{
  if (self->drawn != 0)
    fputs ("\r\033[K", stderr);
  self->drawn = 0;
}
