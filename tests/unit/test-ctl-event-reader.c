/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-error.h"
#include "ctl/amps-ctl-event-reader.h"

#include <string.h>

typedef struct {
  AmpsConfig *config;      /* (owned) */
  AmpsCtlGeneral general;  /* none of them given */
  AmpsCtlContext *context; /* (owned) */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const none[] = { NULL };

  fixture->config = amps_config_new_full (AMPS_CONFIG_CLIENT, none, NULL, none, NULL, NULL);
  fixture->context = amps_ctl_context_new (fixture->config, &fixture->general, NULL, none);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_object_unref (fixture->context);
  g_object_unref (fixture->config);
}

static AmpsCtlEventReader *
open_text (Fixture *fixture, const char *text)
{
  g_autoptr (GInputStream) stream =
      g_memory_input_stream_new_from_data (text, (gssize) strlen (text), NULL);

  return amps_ctl_event_reader_new (fixture->context, stream);
}

/* @events: with a bar behind each; where they stand is the number before its colon */
static void
assert_events (Fixture *fixture, const char *text, gboolean has_lines, const char *events)
{
  g_autoptr (AmpsCtlEventReader) reader = open_text (fixture, text);
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  while (TRUE)
    {
      g_autoptr (GBytes) event = NULL;

      g_assert_true (amps_ctl_event_reader_read (reader, &event, &error));
      g_assert_no_error (error);
      if (event == NULL)
        break;
      g_assert_true (amps_ctl_event_reader_has_lines (reader) == has_lines);
      g_string_append_printf (
          found, "%" G_GUINT64_FORMAT ":%.*s|", amps_ctl_event_reader_get_position (reader),
          (int) g_bytes_get_size (event), (const char *) g_bytes_get_data (event, NULL));
    }

  g_assert_cmpstr (found->str, ==, events);
}

static void
test_lines (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_events (fixture, "{\"a\":1}", TRUE, "1:{\"a\":1}|");
  assert_events (fixture, "\n \t\r\n{\"a\":1}\n\n{ \"b\" : 2 }\n", TRUE,
                 "3:{\"a\":1}|5:{ \"b\" : 2 }|");
  /* What stands there is for AMPS to judge. */
  assert_events (fixture, "{}\nnonsense\n[1]\n", TRUE, "1:{}|2:nonsense|3:[1]|");
}

static void
test_documents (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_events (fixture, "{\n\"a\":1\n}\n", FALSE, "1:{\n\"a\":1\n}|");
  assert_events (fixture, "[]", FALSE, "");
  assert_events (fixture, "\n[ {\"a\":[1,{}]} ,\n{\"b\":\"]\"}\n]\n", FALSE,
                 "1:{\"a\":[1,{}]}|2:{\"b\":\"]\"}|");
}

static void
test_nothing (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_events (fixture, "", FALSE, "");
  assert_events (fixture, "\n\n  \n", FALSE, "");
}

static void
test_faults (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const cases[][2] = {
    { "nonsense", "in line 1" },
    { "\n\n{\"a\":\n", "an unexpected end in line 4" },
    { "[{},\n5]", "something that is not an object in line 2" },
    { "[{}\n{}]", "a comma is missing in line 2" },
    { "[{}] x", "something after the end in line 1" },
    { "{\n} {\n}", "something after the end in line 2" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsCtlEventReader) reader = open_text (fixture, cases[i][0]);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) event = NULL;
      gboolean good = TRUE;

      do
        {
          g_clear_pointer (&event, g_bytes_unref);
          good = amps_ctl_event_reader_read (reader, &event, &error);
        }
      while (good && event != NULL);
      g_test_message ("%s", error != NULL ? error->message : "no error");
      g_assert_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_BAD_DATA);
      g_assert_true (g_str_has_suffix (error->message, cases[i][1]));
    }
}

static void
test_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (amps_ctl_event_reader_open (fixture->context, "/nowhere/at all", &error));
  g_assert_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NO_INPUT);
  g_clear_error (&error);
  g_assert_null (amps_ctl_event_reader_open (fixture->context, "/", &error));
  g_assert_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NO_INPUT);
}

static void
test_cancelled (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsCtlEventReader) reader = open_text (fixture, "{}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) event = NULL;

  g_cancellable_cancel (amps_ctl_context_get_cancellable (fixture->context));
  g_assert_false (amps_ctl_event_reader_read (reader, &event, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (event);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, function)                                                                        \
  g_test_add ("/ctl-event-reader/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("lines", test_lines);
  ADD ("documents", test_documents);
  ADD ("nothing", test_nothing);
  ADD ("faults", test_faults);
  ADD ("files", test_files);
  ADD ("cancelled", test_cancelled);
  return g_test_run ();
}
