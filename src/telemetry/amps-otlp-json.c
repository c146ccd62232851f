/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-otlp-json.h"

#include "event/amps-json-members.h"

#include <string.h>

/* OTLP 1.x in protobuf's JSON: ids are hexadecimal, integers of 64 bits are texts, names are
 * in lowerCamelCase, enumerations are numbers, and what is empty is left out.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */

/* Of the conventions that the names of attributes come from. */
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.37.0"

#define STATUS_ERROR 2

/* SpanFlags of trace.proto: whether it is known, and whether it is so, that the parent is
 * of another process. */
#define FLAG_KNOWS_REMOTE 0x100
#define FLAG_IS_REMOTE 0x200

/* In a JSON string only these need more than one character (RFC 8259, section 7). */
static gboolean
otlp_json_is_plain (char c)
{
  return (guchar) c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

static void
otlp_json_append_escaped (GString *json, const char *text, gsize length)
{
  gsize done = 0;

  for (gsize i = 0; i < length; i++)
    {
      if (otlp_json_is_plain (text[i]))
        continue;

      g_string_append_len (json, text + done, (gssize) (i - done));
      g_string_append_printf (json, "\\u%04x", (guchar) text[i]);
      done = i + 1;
    }
  g_string_append_len (json, text + done, (gssize) (length - done));
}

/* As many whole characters as may be sent. What is not UTF-8 is not sent at all. */
static void
otlp_json_append_text (GString *json, const char *text)
{
  gsize length = strnlen (text, AMPS_OTLP_MAX_TEXT + 1);
  const char *end = text + length;

  if (length > AMPS_OTLP_MAX_TEXT)
    {
      end--;
      while (end > text && ((guchar) *end & 0xc0) == 0x80)
        end--;
    }
  if (g_utf8_validate (text, end - text, NULL))
    otlp_json_append_escaped (json, text, (gsize) (end - text));
}

static void
append_attribute (GString *json, const AmpsSpanAttribute *attribute)
{
  g_string_append (json, "{\"key\":\"");
  otlp_json_append_text (json, attribute->key);
  if (attribute->text == NULL)
    {
      g_string_append_printf (json, "\",\"value\":{\"intValue\":\"%" G_GINT64_FORMAT "\"}}",
                              attribute->number);
      return;
    }

  g_string_append (json, "\",\"value\":{\"stringValue\":\"");
  otlp_json_append_text (json, attribute->text);
  g_string_append (json, "\"}}");
}

/**
 * amps_otlp_json_begin:
 * @json: gets the beginning of an ExportTraceServiceRequest
 * @resource: (array zero-terminated=1): attributes of whose spans they are: a name, its
 *   value, the next name and so on
 */
void
amps_otlp_json_begin (GString *json, const char *const *resource)
{
  g_string_append (json, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
  for (const char *const *pair = resource; *pair != NULL; pair += 2)
    {
      AmpsSpanAttribute attribute = { .key = pair[0], .text = pair[1] };

      if (pair != resource)
        g_string_append_c (json, ',');
      append_attribute (json, &attribute);
    }
  g_string_append (json, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"amps\",\"version\":"
                         "\"" AMPS_VERSION "\"},\"schemaUrl\":\"" SCHEMA_URL "\",\"spans\":[");
}

static void
append_place (GString *json, const AmpsTraceContext *context)
{
  char trace_id[AMPS_TRACE_ID_SIZE];
  char span_id[AMPS_SPAN_ID_SIZE];

  amps_trace_context_format_trace_id (context, trace_id);
  amps_trace_context_format_span_id (context, span_id);
  g_string_append (json, "{\"traceId\":\"");
  g_string_append (json, trace_id);
  g_string_append (json, "\",\"spanId\":\"");
  g_string_append (json, span_id);
  g_string_append_c (json, '"');
}

static void
append_parent (GString *json, const AmpsSpan *span)
{
  unsigned int flags = span->context.flags | FLAG_KNOWS_REMOTE;

  if (span->parent != NULL)
    {
      char span_id[AMPS_SPAN_ID_SIZE];

      amps_trace_context_format_span_id (span->parent, span_id);
      g_string_append (json, ",\"parentSpanId\":\"");
      g_string_append (json, span_id);
      g_string_append_c (json, '"');
      flags |= span->remote ? FLAG_IS_REMOTE : 0;
    }
  if (span->tracestate != NULL)
    {
      g_string_append (json, ",\"traceState\":\"");
      otlp_json_append_text (json, span->tracestate);
      g_string_append_c (json, '"');
    }
  g_string_append_printf (json, ",\"flags\":%u", flags);
}

static void
otlp_json_append_name (GString *json, const AmpsSpan *span)
{
  g_string_append (json, ",\"name\":\"");
  otlp_json_append_text (json, span->operation);
  if (span->target != NULL)
    {
      g_string_append_c (json, ' ');
      otlp_json_append_text (json, span->target);
    }
  g_string_append_c (json, '"');
}

static void
append_links (GString *json, const AmpsSpan *span)
{
  if (span->n_links == 0)
    return;

  g_string_append (json, ",\"links\":[");
  for (unsigned int i = 0; i < span->n_links; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      append_place (json, &span->links[i]);
      g_string_append_printf (json, ",\"flags\":%u}", span->links[i].flags);
    }
  g_string_append_c (json, ']');
}

/**
 * amps_otlp_json_add_span:
 * @json: gets @span, without what separates it from others
 * @span: a span
 */
void
amps_otlp_json_add_span (GString *json, const AmpsSpan *span)
{
  append_place (json, &span->context);
  append_parent (json, span);
  otlp_json_append_name (json, span);
  g_string_append_printf (json,
                          ",\"kind\":%d,\"startTimeUnixNano\":\"%" G_GINT64_FORMAT
                          "000\",\"endTimeUnixNano\":\"%" G_GINT64_FORMAT "000\"",
                          span->kind, MAX (span->begun, 1), MAX (span->ended, span->begun));
  g_string_append (json, ",\"attributes\":[");
  for (unsigned int i = 0; i < span->n_attributes; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      append_attribute (json, &span->attributes[i]);
    }
  g_string_append_c (json, ']');
  append_links (json, span);
  if (span->failed)
    g_string_append_printf (json, ",\"status\":{\"code\":%d}", STATUS_ERROR);
  g_string_append_c (json, '}');
}

/**
 * amps_otlp_json_end:
 * @json: gets what closes amps_otlp_json_begin()
 */
void
amps_otlp_json_end (GString *json)
{
  g_string_append (json, "]}]}]}");
}

static gboolean
read_object (const AmpsJsonValue *value, const char *name, AmpsJsonValue *member)
{
  AmpsJsonScanner scanner;

  amps_json_scanner_init (&scanner, value->start, (gsize) (value->end - value->start));
  return value->kind == AMPS_JSON_OBJECT && amps_json_members_read (&scanner, 0, &name, member, 1);
}

/**
 * amps_otlp_json_read_rejected:
 * @json: (array length=length) (nullable): the answer of a collector, of whatever shape
 * @length: its bytes
 *
 * Returns: how many spans it says that it did not take, though it took the request
 */
guint64
amps_otlp_json_read_rejected (const char *json, gsize length)
{
  AmpsJsonValue answer = { .kind = AMPS_JSON_OBJECT };
  AmpsJsonValue partial, rejected;
  g_autofree char *text = NULL;
  guint64 number = 0;

  answer.start = length > 0 ? json : "";
  answer.end = answer.start + length;
  if (!read_object (&answer, "partialSuccess", &partial) ||
      !read_object (&partial, "rejectedSpans", &rejected))
    return 0;

  /* A text, though some write a number. */
  if (rejected.kind == AMPS_JSON_STRING)
    text = amps_json_value_unescape (&rejected);
  else if (rejected.kind == AMPS_JSON_NUMBER)
    text = g_strndup (rejected.start, (gsize) (rejected.end - rejected.start));
  if (text != NULL)
    g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL);
  return number;
}
