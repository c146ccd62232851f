/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsHttpProblem:
 * @status: the HTTP status that says it
 * @title: the `title` of an RFC 9457 problem, and the reason phrase
 * @detail: what is wrong
 *
 * Why bytes are not an HTTP request that AMPS reads. All of them are static, so
 * that two are the same if their addresses are.
 */
typedef struct {
  unsigned int status;
  const char *title;
  const char *detail;
} AmpsHttpProblem;

/**
 * AmpsHttpHead:
 * @n_fields: how many fields there are
 * @is_http_1_0: whether it is HTTP/1.0 rather than HTTP/1.1
 * @is_for_server: whether the target is `*`
 * @has_host: whether there is a Host
 * @has_length: whether there is a Content-Length
 * @is_chunked: whether the body comes in chunks
 * @length: bytes of the body; %G_MAXUINT64 for any number that is larger
 *
 * What the head of a request says of the rest. To be set to zero before the first
 * line.
 */
typedef struct {
  unsigned int n_fields;
  gboolean is_http_1_0;
  gboolean is_for_server;
  gboolean has_host;
  gboolean has_length;
  gboolean is_chunked;
  guint64 length;
} AmpsHttpHead;

const AmpsHttpProblem *amps_http_head_read_request_line (AmpsHttpHead *self, const char *line,
                                                         gsize length);
const AmpsHttpProblem *amps_http_head_read_field (AmpsHttpHead *self, const char *line,
                                                  gsize length);
const AmpsHttpProblem *amps_http_head_finish (const AmpsHttpHead *self);

const AmpsHttpProblem *amps_http_head_check_field (const char *line, gsize length);
gboolean amps_http_head_is_token_character (char c);
gboolean amps_http_head_is_value (const char *text, gsize length);

G_END_DECLS
