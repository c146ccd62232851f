/* SPDX-License-Identifier: MIT */
#include "amps-event-faults.h"

#define MAX_QUOTED ((gsize) 40)

struct _AmpsEventFaults {
  char *examples[AMPS_N_EVENT_FAULTS]; /* (owned) (nullable) of each fault one name, readable */
};

static const char *const descriptions[] = {
  [AMPS_EVENT_FAULT_NAME] = "an attribute's name has characters other than a to z and 0 to 9",
  [AMPS_EVENT_FAULT_TWICE] = "a member is there twice",
  [AMPS_EVENT_FAULT_TYPE] =
      "an attribute has a wrong type; it must be text, true, false or an integer of 32 bits",
  [AMPS_EVENT_FAULT_CHARACTER] = "text contains a character that is not allowed",
  [AMPS_EVENT_FAULT_FORMAT] = "an attribute's text does not have the form that it must have",
  [AMPS_EVENT_FAULT_VERSION] = "the version of the specification is not 1.0",
  [AMPS_EVENT_FAULT_BASE64] = "the data is not base64",
  [AMPS_EVENT_FAULT_BOTH] = "there are both “data” and “data_base64”",
};
G_STATIC_ASSERT (G_N_ELEMENTS (descriptions) == AMPS_N_EVENT_FAULTS);

/**
 * amps_event_faults_add:
 * @self: (inout) (nullable): the faults of an event; %NULL while it has none, so that
 *   an event without faults costs nothing
 * @fault: what is wrong
 * @name: (array length=length): the member that is wrong, in UTF-8
 * @length: its bytes
 *
 * Of each kind only the first is kept: there may be a million of them. Callable
 * from any thread.
 */
void
amps_event_faults_add (AmpsEventFaults **self, AmpsEventFault fault, const char *name, gsize length)
{
  if (*self == NULL)
    *self = g_new0 (AmpsEventFaults, 1);

  if ((*self)->examples[fault] == NULL)
    (*self)->examples[fault] = amps_event_name_to_readable (name, length);
}

/**
 * amps_event_faults_get_example:
 * @self: (nullable): the faults of an event
 * @fault: one of them
 *
 * Returns: (nullable): the name of a member with @fault, short and printable;
 *   %NULL if there is none
 */
const char *
amps_event_faults_get_example (const AmpsEventFaults *self, AmpsEventFault fault)
{
  return self != NULL ? self->examples[fault] : NULL;
}

/**
 * amps_event_faults_free:
 * @self: (transfer full): the faults of an event
 */
void
amps_event_faults_free (AmpsEventFaults *self)
{
  for (unsigned int i = 0; i < AMPS_N_EVENT_FAULTS; i++)
    g_free (self->examples[i]);
  g_free (self);
}

/**
 * amps_event_fault_to_string:
 * @fault: a fault
 *
 * Returns: (transfer none): what it is, in words for the log
 */
const char *
amps_event_fault_to_string (AmpsEventFault fault)
{
  return descriptions[fault];
}

/**
 * amps_event_name_to_readable:
 * @name: (array length=length): a name that somebody made up, in UTF-8
 * @length: its bytes
 *
 * It ends up in logs, headers and terminals.
 *
 * Returns: (transfer full): a short part of it, in whole and printable characters
 */
char *
amps_event_name_to_readable (const char *name, gsize length)
{
  GString *text = g_string_new (NULL);
  const char *end = name + MIN (length, MAX_QUOTED);
  const char *next;

  for (const char *at = name; at < end; at = next)
    {
      gunichar c = g_utf8_get_char (at);

      next = g_utf8_next_char (at);
      if (next <= end)
        g_string_append_unichar (text, g_unichar_isprint (c) ? c : '?');
    }

  g_string_append (text, length > MAX_QUOTED ? "…" : "");
  return g_string_free (text, FALSE);
}
