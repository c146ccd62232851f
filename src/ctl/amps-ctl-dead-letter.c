/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-dead-letter.h"

#include "amps-ctl-text.h"
#include "base/amps-timestamp.h"

#include <glib/gi18n.h>
#include <string.h>

/* For people, in their time zone. */
static char *
format_local (gint64 time)
{
  g_autoptr (GDateTime) local =
      time != 0 ? g_date_time_new_from_unix_local (time / G_USEC_PER_SEC) : NULL;

  return local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("-");
}

static char *
ctl_dead_letter_format_time (gint64 time)
{
  return time != 0 ? amps_timestamp_format (time, time % G_USEC_PER_SEC != 0 ? 6 : 0) : NULL;
}

static const char *
or_dash (const char *text)
{
  return text != NULL ? text : "-";
}

/**
 * amps_ctl_dead_letter_new_table:
 *
 * Returns: (transfer full): a table for dead letters
 */
AmpsCtlTable *
amps_ctl_dead_letter_new_table (void)
{
  const AmpsCtlColumn columns[] = {
    { .title = _ ("ID"), .flexible = TRUE },
    { .title = _ ("TYPE"), .flexible = TRUE },
    { .title = _ ("REASON") },
    { .title = _ ("ATTEMPT"), .right = TRUE },
    { .title = _ ("GIVEN UP") },
    { .title = _ ("SIZE"), .right = TRUE },
    { .title = _ ("DETAIL"), .flexible = TRUE },
  };

  return amps_ctl_table_new (columns, G_N_ELEMENTS (columns));
}

/**
 * amps_ctl_dead_letter_add_to:
 * @letter: a dead letter
 * @table: a table for them
 *
 * Adds a line.
 */
void
amps_ctl_dead_letter_add_to (const AmpsDeadLetter *letter, AmpsCtlTable *table)
{
  g_autofree char *attempt =
      letter->attempt > 0 ? g_strdup_printf ("%u", letter->attempt) : g_strdup ("-");
  g_autofree char *time = format_local (letter->time);
  g_autofree char *size = g_format_size_full (letter->size, G_FORMAT_SIZE_IEC_UNITS);

  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, or_dash (letter->id));
  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, or_dash (letter->type));
  amps_ctl_table_add (table, AMPS_CTL_STYLE_CAUTION, or_dash (letter->reason));
  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, attempt);
  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, time);
  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, size);
  amps_ctl_table_add (table, AMPS_CTL_STYLE_FAINT, or_dash (letter->detail));
}

/* JSON */

static void
ctl_dead_letter_add_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
ctl_dead_letter_add_time (JsonBuilder *builder, const char *name, gint64 time)
{
  g_autofree char *text = ctl_dead_letter_format_time (time);

  ctl_dead_letter_add_text (builder, name, text);
}

/* What is no JSON is in base64, as CloudEvents do it. */
static void
ctl_dead_letter_add_body (JsonBuilder *builder, GBytes *body)
{
  gsize length;
  const char *data = g_bytes_get_data (body, &length);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autofree char *base64 = NULL;

  if (g_utf8_validate_len (data, length, NULL) &&
      json_parser_load_from_data (parser, data, (gssize) length, NULL) &&
      json_parser_get_root (parser) != NULL)
    {
      json_builder_set_member_name (builder, "body");
      json_builder_add_value (builder, json_node_copy (json_parser_get_root (parser)));
      return;
    }

  base64 = g_base64_encode ((const guchar *) data, length);
  ctl_dead_letter_add_text (builder, "body_base64", base64);
}

/**
 * amps_ctl_dead_letter_add_json:
 * @letter: a dead letter
 * @builder: gets an object
 */
void
amps_ctl_dead_letter_add_json (const AmpsDeadLetter *letter, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  ctl_dead_letter_add_text (builder, "id", letter->id);
  ctl_dead_letter_add_text (builder, "source", letter->source);
  ctl_dead_letter_add_text (builder, "type", letter->type);
  ctl_dead_letter_add_text (builder, "reason", letter->reason);
  ctl_dead_letter_add_text (builder, "detail", letter->detail);
  json_builder_set_member_name (builder, "attempt");
  if (letter->attempt > 0)
    json_builder_add_int_value (builder, letter->attempt);
  else
    json_builder_add_null_value (builder);
  ctl_dead_letter_add_text (builder, "queue", letter->queue);
  ctl_dead_letter_add_text (builder, "worker", letter->worker);
  ctl_dead_letter_add_time (builder, "first_received", letter->first_received);
  ctl_dead_letter_add_time (builder, "time", letter->time);
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, (gint64) letter->size);
  if (letter->body != NULL)
    ctl_dead_letter_add_body (builder, letter->body);
  json_builder_end_object (builder);
}

/* All of one */

static void
print_field (AmpsCtlOutput *output, const char *name, const char *value)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *clean = value != NULL ? amps_ctl_text_clean (value) : NULL;
  g_autofree char *title = g_strdup_printf ("%s: ", name);

  if (clean == NULL)
    return;

  amps_ctl_output_append_styled (output, line, AMPS_CTL_STYLE_TITLE, title);
  amps_ctl_output_print (output, "%s%s\n", line->str, clean);
}

/* A terminal gets nothing that does more than stand there. */
static char *
escape (const char *text, gsize length)
{
  GString *escaped = g_string_sized_new (length);

  for (const char *p = text; p < text + length; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c != '\n' && c != '\t' &&
          (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT))
        g_string_append_printf (escaped, "\\u%04x", c);
      else
        g_string_append_unichar (escaped, c);
    }

  return g_string_free (escaped, FALSE);
}

static void
print_body (AmpsCtlOutput *output, GBytes *body)
{
  gsize length;
  const char *data = g_bytes_get_data (body, &length);
  gboolean is_text = g_utf8_validate_len (data, length, NULL) && memchr (data, 0, length) == NULL;
  g_autofree char *text = !is_text ? g_base64_encode ((const guchar *) data, length)
                          : amps_ctl_output_is_terminal (output) ? escape (data, length)
                                                                 : g_strndup (data, length);

  if (!is_text)
    amps_ctl_output_print (output, "%s\n", _ ("(not text; in base64)"));
  amps_ctl_output_write (output, text);
  amps_ctl_output_write (output, "\n");
}

/**
 * amps_ctl_dead_letter_print:
 * @letter: a dead letter
 * @output: where to
 *
 * Prints all that is known of it, and its body.
 */
void
amps_ctl_dead_letter_print (const AmpsDeadLetter *letter, AmpsCtlOutput *output)
{
  g_autofree char *attempt = letter->attempt > 0 ? g_strdup_printf ("%u", letter->attempt) : NULL;
  g_autofree char *received =
      letter->first_received != 0 ? format_local (letter->first_received) : NULL;
  g_autofree char *time = letter->time != 0 ? format_local (letter->time) : NULL;
  g_autofree char *size =
      g_format_size_full (letter->size, G_FORMAT_SIZE_IEC_UNITS | G_FORMAT_SIZE_LONG_FORMAT);

  print_field (output, _ ("Id"), or_dash (letter->id));
  print_field (output, _ ("Source"), letter->source);
  print_field (output, _ ("Type"), letter->type);
  print_field (output, _ ("Reason"), letter->reason);
  print_field (output, _ ("Detail"), letter->detail);
  print_field (output, _ ("Attempt"), attempt);
  print_field (output, _ ("Queue"), letter->queue);
  print_field (output, _ ("Worker"), letter->worker);
  print_field (output, _ ("First received"), received);
  print_field (output, _ ("Given up"), time);
  print_field (output, _ ("Size"), size);
  if (letter->body != NULL)
    {
      amps_ctl_output_write (output, "\n");
      print_body (output, letter->body);
    }
}
