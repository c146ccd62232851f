/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-live.h"

#include "amps-ctl-error.h"
#include "amps-ctl-screen.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>

#define DEFAULT_INTERVAL ((gint64) G_USEC_PER_SEC)
#define MIN_INTERVAL (G_USEC_PER_SEC / 10)

typedef struct {
  AmpsCtlContext *context;
  const AmpsCtlLive *live;
  gpointer subject; /* what is shown */
  gint64 interval;
  guint64 count;
} Run;

static void
ctl_live_show (const Run *run, AmpsCtlScreen *screen, const GError *failure)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (run->context);
  g_autoptr (GString) lines = g_string_new (NULL);
  unsigned int width = amps_ctl_output_get_width (output);

  if (failure != NULL)
    {
      g_autofree char *text = amps_ctl_text_clean (failure->message);

      amps_ctl_output_append_styled (output, lines, AMPS_CTL_STYLE_BAD, text);
      g_string_append_c (lines, '\n');
    }
  run->live->render (run->subject, lines, width, amps_ctl_output_get_height (output));
  amps_ctl_screen_show (screen, lines->str);
}

/* Returns: whether to go on */
static gboolean
wait_for_next (const Run *run, AmpsCtlScreen *screen, const GError *failure)
{
  gint64 next = g_get_monotonic_time () + run->interval;

  while (!amps_ctl_screen_wait (screen, MAX (next - g_get_monotonic_time (), 0)))
    {
      if (amps_ctl_screen_has_quit (screen))
        return FALSE;
      ctl_live_show (run, screen, failure);
    }

  return !g_cancellable_is_cancelled (amps_ctl_context_get_cancellable (run->context));
}

/* A failure is shown, too: AMPS may come back. */
static gboolean
run_on_screen (const Run *run, GError **error)
{
  g_autoptr (AmpsCtlScreen) screen = NULL;
  g_autoptr (GError) failure = NULL;

  /* If there is nothing to show the terminal remains as it is. */
  if (!run->live->look (run->subject, error))
    return FALSE;

  screen = amps_ctl_screen_new (run->context);
  ctl_live_show (run, screen, NULL);
  for (guint64 i = 1; (run->count == 0 || i < run->count) && wait_for_next (run, screen, failure);
       i++)
    {
      g_clear_error (&failure);
      run->live->look (run->subject, &failure);
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        break;
      ctl_live_show (run, screen, failure);
    }

  return TRUE;
}

static void
ctl_live_print (const Run *run)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (run->context);
  g_autoptr (GString) lines = g_string_new (NULL);

  if (amps_ctl_output_is_json (output))
    {
      g_autoptr (JsonNode) node = run->live->describe (run->subject);

      amps_ctl_output_print_json (output, node);
      return;
    }

  run->live->render (run->subject, lines, 0, 0);
  amps_ctl_output_write (output, lines->str);
}

static gboolean
run_in_lines (const Run *run, GError **error)
{
  for (guint64 i = 0; run->count == 0 || i < run->count; i++)
    {
      if (i > 0 && !amps_ctl_context_sleep (run->context, run->interval, error))
        return FALSE;
      if (!run->live->look (run->subject, error))
        return FALSE;
      ctl_live_print (run);
      if (!amps_ctl_output_flush (amps_ctl_context_get_output (run->context), error))
        return FALSE;
    }

  return TRUE;
}

/**
 * amps_ctl_live_run:
 * @context: where it is shown: in place on a terminal, else one after the other
 * @live: how
 * @self: what
 * @options: how often
 * @error: return location
 *
 * Shows something until the user wants no more.
 *
 * Returns: whether all went well
 */
gboolean
amps_ctl_live_run (AmpsCtlContext *context, const AmpsCtlLive *live, gpointer self,
                   const AmpsCtlLiveOptions *options, GError **error)
{
  const Run run = { context, live, self,
                    options->interval > 0 ? options->interval : DEFAULT_INTERVAL, options->count };

  if (run.interval < MIN_INTERVAL)
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("--interval must be at least 100ms"));
      return FALSE;
    }

  return amps_ctl_screen_is_possible (context) ? run_on_screen (&run, error)
                                               : run_in_lines (&run, error);
}
