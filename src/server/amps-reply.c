/* SPDX-License-Identifier: MIT */
#include "amps-reply.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

#include <string.h>

#define PROBLEM_TYPE "application/problem+json"
#define RETRY_AFTER_SECONDS "1"

/**
 * amps_reply_add_string:
 * @builder: in an object
 * @name: of the member
 * @value: UTF-8
 */
void
amps_reply_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/**
 * amps_reply_add_boolean:
 * @builder: in an object
 * @name: of the member
 * @value: its value
 */
void
amps_reply_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

/**
 * amps_reply_add_int:
 * @builder: in an object
 * @name: of the member
 * @value: its value
 */
void
amps_reply_add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/**
 * amps_reply_status:
 * @message: a request
 * @status: an HTTP status
 *
 * Answers with an empty body: where the status says it all, writing more would
 * only cost CPU.
 */
void
amps_reply_status (SoupServerMessage *message, unsigned int status)
{
  soup_server_message_set_status (message, status, NULL);
}

/**
 * amps_reply_format_json:
 * @builder: holds a whole value
 * @length: (out): how many bytes it is as a text
 *
 * Returns: (transfer full): that text
 */
char *
amps_reply_format_json (JsonBuilder *builder, gsize *length)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, length);
}

static void
reply_text (SoupServerMessage *message, unsigned int status, const char *type, char *text,
            gsize length)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, text, length);
}

/**
 * amps_reply_json:
 * @message: a request
 * @status: an HTTP status
 * @builder: holds the whole answer
 *
 * Answers with JSON.
 */
void
amps_reply_json (SoupServerMessage *message, unsigned int status, JsonBuilder *builder)
{
  gsize length;
  char *text = amps_reply_format_json (builder, &length);

  reply_text (message, status, "application/json", text, length);
}

/**
 * amps_reply_get_title:
 * @error: what went wrong
 * @status: (out): the HTTP status for it
 *
 * Returns: (transfer none): its title for an RFC 9457 problem
 */
const char *
amps_reply_get_title (const GError *error, unsigned int *status)
{
  const AmpsErrorInfo *info = amps_error_find_info (error);

  *status = info->http_status;
  return info->title;
}

/* RFC 9457; without a type, which then is about:blank. */
static char *
format_problem (unsigned int status, const char *title, const char *text, gsize *length)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  /* It may quote what the client sent, of any length. */
  g_autofree char *detail = amps_foreign_text_dup (text, -1);

  json_builder_begin_object (builder);
  amps_reply_add_string (builder, "title", title);
  amps_reply_add_int (builder, "status", status);
  amps_reply_add_string (builder, "detail", detail);
  json_builder_end_object (builder);

  return amps_reply_format_json (builder, length);
}

/**
 * amps_reply_error:
 * @message: a request
 * @error: why it failed
 *
 * Answers with an RFC 9457 problem, and with the headers its status asks for.
 */
void
amps_reply_error (SoupServerMessage *message, const GError *error)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  unsigned int status;
  gsize length;
  const char *title = amps_reply_get_title (error, &status);
  char *text = format_problem (status, title, error->message, &length);

  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    soup_message_headers_replace (headers, "Retry-After", RETRY_AFTER_SECONDS);
  else if (status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer realm=\"amps\"");

  reply_text (message, status, PROBLEM_TYPE, text, length);
}

/**
 * amps_reply_format_refusal:
 * @status: an HTTP status
 * @title: what it means here
 * @detail: why a request is not even read
 *
 * Returns: (transfer full): a whole HTTP answer that closes the connection
 */
char *
amps_reply_format_refusal (unsigned int status, const char *title, const char *detail)
{
  gsize length;
  g_autofree char *text = format_problem (status, title, detail, &length);
  const char *retry =
      status == SOUP_STATUS_SERVICE_UNAVAILABLE ? "Retry-After: " RETRY_AFTER_SECONDS "\r\n" : "";

  return g_strdup_printf ("HTTP/1.1 %u %s\r\n"
                          "Connection: close\r\n"
                          "%s"
                          "Content-Type: " PROBLEM_TYPE "\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n"
                          "\r\n"
                          "%s",
                          status, title, retry, length, text);
}
