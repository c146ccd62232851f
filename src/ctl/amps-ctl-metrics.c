/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-metrics.h"

#include "amps-ctl-error.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <libsoup/soup.h>
#include <math.h>
#include <string.h>

typedef struct {
  char *name; /* (owned) with its labels, as it stands there */
  double value;
} Sample;

struct _AmpsCtlMetrics {
  gint64 time;     /* monotonic µs */
  GArray *samples; /* (owned) of Sample, in their order */
};

static void
clear_sample (gpointer data)
{
  g_free (((Sample *) data)->name);
}

/**
 * amps_ctl_metrics_new:
 * @text: in the format of Prometheus, as AMPS writes it
 *
 * Returns: (transfer full): what it says
 */
AmpsCtlMetrics *
amps_ctl_metrics_new (const char *text)
{
  AmpsCtlMetrics *self = g_new0 (AmpsCtlMetrics, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  self->time = g_get_monotonic_time ();
  self->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  g_array_set_clear_func (self->samples, clear_sample);
  for (char **line = lines; *line != NULL; line++)
    {
      const char *space = strrchr (*line, ' ');
      Sample sample;

      if (space == NULL || **line == '#')
        continue;
      sample.name = g_strndup (*line, (gsize) (space - *line));
      sample.value = g_ascii_strtod (space + 1, NULL);
      g_array_append_val (self->samples, sample);
    }

  return self;
}

/**
 * amps_ctl_metrics_free:
 * @self: (transfer full): metrics
 */
void
amps_ctl_metrics_free (AmpsCtlMetrics *self)
{
  g_array_unref (self->samples);
  g_free (self);
}

/**
 * amps_ctl_metrics_get_time:
 * @self: metrics
 *
 * Returns: when they were so, in monotonic µs
 */
gint64
amps_ctl_metrics_get_time (AmpsCtlMetrics *self)
{
  return self->time;
}

/**
 * amps_ctl_metrics_get:
 * @self: metrics
 * @name: of one, with its labels
 * @value: (out): its value, unchanged if it is not there
 *
 * Returns: whether it is there
 */
gboolean
amps_ctl_metrics_get (AmpsCtlMetrics *self, const char *name, double *value)
{
  for (unsigned int i = 0; i < self->samples->len; i++)
    {
      const Sample *sample = &g_array_index (self->samples, Sample, i);

      if (g_str_equal (sample->name, name))
        {
          *value = sample->value;
          return TRUE;
        }
    }

  return FALSE;
}

/* Returns: what came into the bucket, and into all before it, since @earlier */
static double
count_since (AmpsCtlMetrics *earlier, const Sample *bucket)
{
  double before = 0;

  if (earlier != NULL)
    amps_ctl_metrics_get (earlier, bucket->name, &before);
  return bucket->value - before;
}

/**
 * amps_ctl_metrics_get_percentile:
 * @self: metrics
 * @earlier: (nullable): those of an earlier moment of the same AMPS; %NULL for its start
 * @histogram: the name of a histogram without labels
 * @share: from 0 to 1
 *
 * As Prometheus's histogram_quantile() guesses: evenly within a bucket.
 *
 * Returns: what this share of the values since @earlier is not above; not a number if there
 *   were none, infinite if it is above all bounds
 */
double
amps_ctl_metrics_get_percentile (AmpsCtlMetrics *self, AmpsCtlMetrics *earlier,
                                 const char *histogram, double share)
{
  g_autofree char *prefix = g_strconcat (histogram, "_bucket{le=\"", NULL);
  g_autofree char *total_name = g_strconcat (prefix, "+Inf\"}", NULL);
  Sample total = { total_name, 0 };
  double lower = 0, below = 0, wanted;

  if (!amps_ctl_metrics_get (self, total_name, &total.value))
    return NAN;
  wanted = count_since (earlier, &total) * share;
  if (!(wanted > 0))
    return NAN;

  for (unsigned int i = 0; i < self->samples->len; i++)
    {
      const Sample *bucket = &g_array_index (self->samples, Sample, i);
      double upper, count;

      if (!g_str_has_prefix (bucket->name, prefix))
        continue;
      upper = g_ascii_strtod (bucket->name + strlen (prefix), NULL);
      count = count_since (earlier, bucket);
      if (count >= wanted)
        return isinf (upper) ? upper : lower + (upper - lower) * (wanted - below) / (count - below);
      lower = upper;
      below = count;
    }

  return NAN;
}

/* Over HTTP */

typedef struct {
  gboolean is_done;
  GBytes *body;  /* (owned) */
  GError *error; /* (owned) */
} Fetch;

static void
ctl_metrics_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fetch *fetch = user_data;

  fetch->body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &fetch->error);
  fetch->is_done = TRUE;
}

static gboolean
ctl_metrics_is_done (gpointer user_data)
{
  return ((Fetch *) user_data)->is_done;
}

static gboolean
ctl_metrics_send (AmpsCtlContext *context, SoupMessage *message, Fetch *fetch, GError **error)
{
  g_autoptr (SoupSession) session = g_object_new (SOUP_TYPE_SESSION, "proxy-resolver", NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, cancellable,
                                    ctl_metrics_on_answer, fetch);
  if (amps_ctl_context_wait (context, ctl_metrics_is_done, fetch,
                             amps_ctl_context_get_timeout (context), error))
    return TRUE;

  g_cancellable_cancel (cancellable);
  while (!fetch->is_done)
    g_main_context_iteration (NULL, TRUE);
  return FALSE;
}

/**
 * amps_ctl_metrics_fetch:
 * @context: what limits the time
 * @url: of the metrics
 * @error: return location: %AMPS_CTL_ERROR_UNREACHABLE, or %G_IO_ERROR_CANCELLED
 *
 * Lets the main loop run until they are here.
 *
 * Returns: (transfer full) (nullable): the metrics as they are now
 */
AmpsCtlMetrics *
amps_ctl_metrics_fetch (AmpsCtlContext *context, const char *url, GError **error)
{
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autoptr (GError) cause = NULL;
  Fetch fetch = { FALSE };
  AmpsCtlMetrics *metrics = NULL;

  if (ctl_metrics_send (context, message, &fetch, &cause) && fetch.body != NULL &&
      soup_message_get_status (message) == SOUP_STATUS_OK)
    {
      g_autofree char *text =
          g_strndup (g_bytes_get_data (fetch.body, NULL), g_bytes_get_size (fetch.body));

      metrics = amps_ctl_metrics_new (text);
    }
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
    }
  else
    {
      const GError *why = cause != NULL ? cause : fetch.error;
      g_autofree char *clean = amps_ctl_text_clean (
          why != NULL ? why->message : soup_message_get_reason_phrase (message));

      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
                   _ ("there are no metrics at %s: %s"), url, clean);
    }

  g_clear_pointer (&fetch.body, g_bytes_unref);
  g_clear_error (&fetch.error);
  return metrics;
}
