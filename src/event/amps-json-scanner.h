/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_JSON_MAX_DEPTH:
 *
 * Objects and arrays in each other; beyond it a parser elsewhere may break.
 */
#define AMPS_JSON_MAX_DEPTH 64

/**
 * AmpsJsonKind:
 * @AMPS_JSON_OBJECT: an object
 * @AMPS_JSON_ARRAY: an array
 * @AMPS_JSON_STRING: a string
 * @AMPS_JSON_NUMBER: a number
 * @AMPS_JSON_BOOLEAN: true or false
 * @AMPS_JSON_NULL: null
 *
 * What a value is.
 */
typedef enum {
  AMPS_JSON_OBJECT,
  AMPS_JSON_ARRAY,
  AMPS_JSON_STRING,
  AMPS_JSON_NUMBER,
  AMPS_JSON_BOOLEAN,
  AMPS_JSON_NULL,
} AmpsJsonKind;

/**
 * AmpsJsonValue:
 * @kind: what it is
 * @start: its first byte; of a string, the one behind the quote
 * @end: the byte behind its last one; of a string, the closing quote
 * @escaped: whether a string has escapes
 *
 * A value as it stands in the text.
 */
typedef struct {
  AmpsJsonKind kind;
  const char *start;
  const char *end;
  gboolean escaped;
} AmpsJsonValue;

/**
 * AmpsJsonScanner:
 * @start: the text
 * @end: the byte behind it
 * @at: how far it has been read
 * @problem: (nullable): what is wrong at @at
 * @takes_halves: whether a string may hold half of a surrogate pair: JSON's grammar
 *   allows it, and some writers cut text there, but it is no character
 * @found_half: whether there was one
 *
 * Reads JSON strictly as RFC 8259 has it, in one pass and without a copy.
 */
typedef struct {
  const char *start;
  const char *end;
  const char *at;
  const char *problem;
  gboolean takes_halves;
  gboolean found_half;
} AmpsJsonScanner;

void amps_json_scanner_init (AmpsJsonScanner *self, const char *json, gsize length);
gboolean amps_json_scanner_enter (AmpsJsonScanner *self, char bracket);
gboolean amps_json_scanner_next_item (AmpsJsonScanner *self, char bracket, gboolean first);
gboolean amps_json_scanner_read_name (AmpsJsonScanner *self, AmpsJsonValue *name);
gboolean amps_json_scanner_read_value (AmpsJsonScanner *self, unsigned int depth,
                                       AmpsJsonValue *value);
gboolean amps_json_scanner_finish (AmpsJsonScanner *self);
gsize amps_json_scanner_get_offset (AmpsJsonScanner *self);

char *amps_json_value_unescape (const AmpsJsonValue *value);

gboolean amps_json_check (const char *json, gsize length, GError **error);

G_END_DECLS
