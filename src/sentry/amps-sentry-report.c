/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-sentry-report.h"

#include "base/amps-foreign-text.h"
#include "base/amps-timestamp.h"

#include <json-glib/json-glib.h>
#include <string.h>

/**
 * amps_sentry_report_new:
 * @line: a line of the log
 *
 * What quotes somebody else stays here: only the name of its event is reported. Callable from
 * any thread.
 *
 * Returns: (transfer full): a report of it
 */
AmpsSentryReport *
amps_sentry_report_new (const AmpsLogLine *line)
{
  AmpsSentryReport *self = g_new0 (AmpsSentryReport, 1);

  self->level = line->level;
  self->event = line->event;
  self->time = g_get_real_time ();
  if (amps_log_event_quotes (line->event))
    self->message = g_strdup (amps_log_event_to_string (line->event));
  else
    self->message = amps_foreign_text_dup (line->message, -1);
  self->job_id = line->job_id != NULL ? amps_foreign_text_dup (line->job_id, -1) : NULL;
  self->reason = g_strdup (line->reason);
  self->trace_id = g_strdup (line->trace_id);
  return self;
}

/**
 * amps_sentry_report_free:
 * @self: (transfer full): a report
 */
void
amps_sentry_report_free (AmpsSentryReport *self)
{
  g_free (self->message);
  g_free (self->job_id);
  g_free (self->reason);
  g_free (self->trace_id);
  g_free (self);
}

static const char *
get_level (GLogLevelFlags level)
{
  if ((level & G_LOG_LEVEL_ERROR) != 0)
    return "fatal";
  return (level & G_LOG_LEVEL_CRITICAL) != 0 ? "error" : "warning";
}

static void
sentry_report_add (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
sentry_report_add_time (JsonBuilder *builder, const char *name, gint64 time)
{
  g_autofree char *text = amps_timestamp_format (time, 6);

  sentry_report_add (builder, name, text);
}

static void
sentry_report_begin (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
}

/* Sentry makes one issue of all reports with the same fingerprint. */
static void
add_fingerprint (const AmpsSentryReport *self, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "fingerprint");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, amps_log_event_to_string (self->event));
  if (self->reason != NULL)
    json_builder_add_string_value (builder, self->reason);
  json_builder_end_array (builder);
}

static void
add_details (const AmpsSentryReport *self, const AmpsSentrySource *source, JsonBuilder *builder)
{
  sentry_report_begin (builder, "tags");
  sentry_report_add (builder, "event", amps_log_event_to_string (self->event));
  sentry_report_add (builder, "queue", source->queue);
  sentry_report_add (builder, "reason", self->reason);
  json_builder_end_object (builder);

  sentry_report_begin (builder, "extra");
  sentry_report_add (builder, "job_id", self->job_id);
  sentry_report_add (builder, "trace_id", self->trace_id);
  if (self->n_silenced > 0)
    {
      json_builder_set_member_name (builder, "not_reported_before");
      json_builder_add_int_value (builder, self->n_silenced);
    }
  json_builder_end_object (builder);
}

static char *
sentry_report_finish (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static char *
format_header (const char *id)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  sentry_report_add (builder, "event_id", id);
  sentry_report_add_time (builder, "sent_at", g_get_real_time ());
  return sentry_report_finish (builder);
}

static char *
sentry_report_format_event (const AmpsSentryReport *self, const AmpsSentrySource *source,
                            const char *id)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  sentry_report_add (builder, "event_id", id);
  sentry_report_add_time (builder, "timestamp", self->time);
  sentry_report_add (builder, "platform", "c");
  sentry_report_add (builder, "level", get_level (self->level));
  sentry_report_add (builder, "logger", "amps");
  sentry_report_add (builder, "release", "amps@" AMPS_VERSION);
  sentry_report_add (builder, "environment", source->environment);
  sentry_report_add (builder, "server_name", source->worker);
  sentry_report_begin (builder, "logentry");
  sentry_report_add (builder, "formatted", self->message);
  json_builder_end_object (builder);
  add_fingerprint (self, builder);
  add_details (self, source, builder);
  return sentry_report_finish (builder);
}

static char *
make_id (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_auto (GStrv) parts = g_strsplit (uuid, "-", -1);

  return g_strjoinv (NULL, parts);
}

/**
 * amps_sentry_report_to_envelope:
 * @self: a report
 * @source: where it comes from
 *
 * Returns: (transfer full): an envelope with one event, by Sentry's "Envelopes" and "Event
 *   Payloads"
 */
GBytes *
amps_sentry_report_to_envelope (const AmpsSentryReport *self, const AmpsSentrySource *source)
{
  g_autofree char *id = make_id ();
  g_autofree char *header = format_header (id);
  g_autofree char *event = sentry_report_format_event (self, source, id);
  char *envelope = g_strdup_printf (
      "%s\n{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":%" G_GSIZE_FORMAT
      "}\n%s\n",
      header, strlen (event), event);

  return g_bytes_new_take (envelope, strlen (envelope));
}
