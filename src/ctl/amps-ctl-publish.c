/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-error.h"
#include "amps-ctl-event-reader.h"
#include "amps-ctl-json.h"
#include "amps-ctl-progress.h"
#include "amps-ctl-publisher.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct {
  gboolean keep_going;
} PublishOptions;

static const AmpsCtlOption publish_options[] = {
  { "keep-going", 'k', AMPS_CTL_OPTION_FLAG, G_STRUCT_OFFSET (PublishOptions, keep_going), NULL,
    N_ ("Go on when an event is refused") },
  { NULL },
};

/* Returns: the lines of a file; 0 where nobody knows before they are read */
static guint64
count_lines (const char *path)
{
  g_autoptr (GMappedFile) file = NULL;
  const char *at, *end;
  guint64 n_lines = 0;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return 0;
  file = g_mapped_file_new (path, FALSE, NULL);
  at = file != NULL ? g_mapped_file_get_contents (file) : NULL;
  if (at == NULL)
    return 0;

  for (end = at + g_mapped_file_get_length (file); at != NULL && at < end; at++, n_lines++)
    {
      at = memchr (at, '\n', (gsize) (end - at));
      if (at == NULL)
        return n_lines + 1;
    }
  return n_lines;
}

static char *
describe_place (AmpsCtlEventReader *reader)
{
  guint64 position = amps_ctl_event_reader_get_position (reader);

  return amps_ctl_event_reader_has_lines (reader)
             ? g_strdup_printf (_ ("line %" PRIu64), position)
             : g_strdup_printf (_ ("event %" PRIu64), position);
}

/* Returns: whether the input could be read to where there was any sense in it */
static gboolean
publish_all (AmpsCtlEventReader *reader, AmpsCtlPublisher *publisher, AmpsCtlProgress *progress,
             guint64 n_lines, GError **error)
{
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      g_autoptr (GBytes) event = NULL;

      if (!amps_ctl_event_reader_read (reader, &event, error))
        return FALSE;
      if (event == NULL)
        return TRUE;
      if (amps_ctl_event_reader_has_lines (reader))
        amps_ctl_progress_set_total (progress, n_lines);
      goes_on = amps_ctl_publisher_publish (publisher, event, describe_place (reader));
      amps_ctl_progress_set_done (progress, amps_ctl_publisher_get_n_ended (publisher));
    }

  return TRUE;
}

static void
print_result (AmpsCtlOutput *output, AmpsCtlPublisher *publisher)
{
  guint64 n_published = amps_ctl_publisher_get_n_published (publisher);
  const char *const *failure = amps_ctl_publisher_get_failures (publisher);

  if (amps_ctl_output_is_json (output))
    {
      JsonObject *object = json_object_new ();
      g_autoptr (JsonNode) node = amps_ctl_json_take_object (object);
      JsonArray *failures = json_array_new ();

      for (; *failure != NULL; failure++)
        json_array_add_string_element (failures, *failure);
      json_object_set_int_member (object, "published", (gint64) n_published);
      json_object_set_int_member (object, "failed",
                                  (gint64) amps_ctl_publisher_get_n_failed (publisher));
      json_object_set_array_member (object, "failures", failures);
      amps_ctl_output_print_json (output, node);
      return;
    }

  amps_ctl_output_print (output,
                         ngettext ("%" PRIu64 " event published\n",
                                   "%" PRIu64 " events published\n", (gulong) n_published),
                         n_published);
}

/* Says what went wrong with events, and @unread why no more were read. */
static gboolean
check_result (AmpsCtlPublisher *publisher, GError *unread, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *const *failures = amps_ctl_publisher_get_failures (publisher);
  guint64 n_failed = amps_ctl_publisher_get_n_failed (publisher);
  unsigned int n_shown = g_strv_length ((char **) failures);
  const GError *first = amps_ctl_publisher_get_error (publisher);

  if (first == NULL && unread == NULL)
    return TRUE;

  for (; *failures != NULL; failures++)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", *failures);
  if (n_failed > n_shown)
    g_string_append_printf (text, _ ("\nand %" PRIu64 " more"), n_failed - n_shown);
  if (unread != NULL)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", unread->message);

  g_set_error_literal (error, AMPS_CTL_ERROR,
                       amps_ctl_error_get_exit_status (first != NULL ? first : unread), text->str);
  return FALSE;
}

static gboolean
ctl_publish_publish (AmpsCtlContext *context, GError **error)
{
  const PublishOptions *options = amps_ctl_context_get_options (context);
  const char *path = amps_ctl_context_get_arguments (context)[0];
  g_autoptr (AmpsCtlApi) api = amps_ctl_api_factory_create (context, error);
  g_autoptr (AmpsCtlEventReader) reader =
      api != NULL ? amps_ctl_event_reader_open (context, path, error) : NULL;
  g_autoptr (AmpsCtlPublisher) publisher = NULL;
  g_autoptr (AmpsCtlProgress) progress = NULL;
  g_autoptr (GError) unread = NULL;

  if (reader == NULL)
    return FALSE;

  publisher = amps_ctl_publisher_new (context, api, options->keep_going);
  progress = amps_ctl_progress_new (_ ("Publishing"), 0);
  publish_all (reader, publisher, progress, count_lines (path), &unread);
  amps_ctl_publisher_finish (publisher);
  amps_ctl_progress_hide (progress);

  if (unread == NULL && amps_ctl_publisher_get_n_ended (publisher) == 0)
    g_set_error (&unread, AMPS_CTL_ERROR, AMPS_CTL_ERROR_BAD_DATA, _ ("there is no event in it"));
  print_result (amps_ctl_context_get_output (context), publisher);
  return check_result (publisher, unread, error);
}

const AmpsCtlCommand amps_ctl_publish_command = {
  .name = "publish",
  .synopsis = "FILE|-",
  .help = N_ ("Publish events, each to the queue that its type names"),
  .description = N_ (
      "The file, or standard input, contains one event in JSON, a JSON array of events, or one "
      "event per line. The command stops at the first refused event, and says which one it is. Up "
      "to 32 events after it may already be published. The order of the events is not kept."),
  .options = publish_options,
  .options_size = sizeof (PublishOptions),
  .min_arguments = 1,
  .max_arguments = 1,
  .run = ctl_publish_publish,
};
