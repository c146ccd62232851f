/* SPDX-License-Identifier: MIT */
#include "amps-span.h"

static AmpsSpanAttribute *
span_add (AmpsSpan *self, const char *key)
{
  AmpsSpanAttribute *attribute = &self->attributes[self->n_attributes];

  g_return_val_if_fail (self->n_attributes < AMPS_SPAN_MAX_ATTRIBUTES, &self->attributes[0]);

  self->n_attributes++;
  attribute->key = key;
  return attribute;
}

/**
 * amps_span_add_text:
 * @self: a span
 * @key: a static name
 * @text: (nullable): its value, which outlives @self; %NULL if there is none
 */
void
amps_span_add_text (AmpsSpan *self, const char *key, const char *text)
{
  if (text != NULL)
    span_add (self, key)->text = text;
}

/**
 * amps_span_add_number:
 * @self: a span
 * @key: a static name
 * @number: its value
 */
void
amps_span_add_number (AmpsSpan *self, const char *key, gint64 number)
{
  span_add (self, key)->number = number;
}

/**
 * amps_span_fail:
 * @self: a span
 * @error_type: (nullable): a word for what went wrong, which outlives @self; %NULL if
 *   nothing did
 */
void
amps_span_fail (AmpsSpan *self, const char *error_type)
{
  self->failed = error_type != NULL;
  amps_span_add_text (self, "error.type", error_type);
}
