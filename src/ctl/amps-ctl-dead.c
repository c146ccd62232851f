/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-commands.h"
#include "amps-ctl-dead-letter.h"
#include "amps-ctl-dead-run.h"
#include "amps-ctl-error.h"
#include "amps-ctl-question.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>

typedef struct {
  char **ids;
  char *reason;
  char *type;
  gint64 older_than;
  guint64 limit;
  gboolean all;
  gboolean dry_run;
} Options;

#define OPTION(member) G_STRUCT_OFFSET (Options, member)

#define FILTER_OPTIONS                                                                             \
  { "id",                                                                                          \
    0,                                                                                             \
    AMPS_CTL_OPTION_TEXTS,                                                                         \
    OPTION (ids),                                                                                  \
    N_ ("ID"),                                                                                     \
    N_ ("Only letters of the event with this id; repeat it for several ids") },                    \
      { "reason",                                                                                  \
        0,                                                                                         \
        AMPS_CTL_OPTION_TEXT,                                                                      \
        OPTION (reason),                                                                           \
        N_ ("REASON"),                                                                             \
        N_ ("Only letters with this reason, such as rejected") },                                  \
      { "type",        0,           AMPS_CTL_OPTION_TEXT,                                          \
        OPTION (type), N_ ("TYPE"), N_ ("Only letters of this event type") },                      \
      { "older-than",                                                                              \
        0,                                                                                         \
        AMPS_CTL_OPTION_DURATION,                                                                  \
        OPTION (older_than),                                                                       \
        N_ ("DURATION"),                                                                           \
        N_ ("Only letters that were given up at least this long ago") },                           \
  {                                                                                                \
    "limit", 0, AMPS_CTL_OPTION_NUMBER, OPTION (limit), N_ ("N"), N_ ("At most this many letters") \
  }

static const AmpsCtlOption list_options[] = {
  FILTER_OPTIONS,
  { NULL },
};

static const AmpsCtlOption move_options[] = {
  FILTER_OPTIONS,
  { "all", 0, AMPS_CTL_OPTION_FLAG, OPTION (all), NULL, N_ ("All letters, without asking") },
  { "dry-run", 'n', AMPS_CTL_OPTION_FLAG, OPTION (dry_run), NULL,
    N_ ("Only list the matching letters") },
  { NULL },
};

static AmpsDeadLetterFilter *
make_filter (const Options *options)
{
  AmpsDeadLetterFilter *filter = amps_dead_letter_filter_new ();

  filter->ids = g_strdupv (options->ids);
  filter->reason = g_strdup (options->reason);
  filter->type = g_strdup (options->type);
  filter->limit = options->limit;
  if (options->older_than > 0)
    filter->before = g_get_real_time () - options->older_than;
  return filter;
}

/* What is shown of the letters, when all are there. */
typedef struct {
  AmpsCtlTable *table;   /* (owned) */
  JsonBuilder *letters;  /* (owned) */
  JsonBuilder *failures; /* (owned) */
  GString *problems;     /* (owned) for people */
  unsigned int n_problems;
} Report;

/* Said of this many; the others are counted. */
#define MAX_PROBLEMS 10

static JsonBuilder *
begin_array (void)
{
  return json_builder_begin_array (json_builder_new ());
}

static void
report_init (Report *self)
{
  self->table = amps_ctl_dead_letter_new_table ();
  self->letters = begin_array ();
  self->failures = begin_array ();
  self->problems = g_string_new (NULL);
  self->n_problems = 0;
}

static void
report_clear (Report *self)
{
  amps_ctl_table_free (self->table);
  g_object_unref (self->letters);
  g_object_unref (self->failures);
  g_string_free (self->problems, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

static void
ctl_dead_note_failure (Report *self, const AmpsDeadLetter *letter, const GError *error)
{
  g_autofree char *id = amps_ctl_text_clean (letter->id != NULL ? letter->id : "-");

  json_builder_begin_object (self->failures);
  json_builder_set_member_name (self->failures, "letter");
  amps_ctl_dead_letter_add_json (letter, self->failures);
  json_builder_set_member_name (self->failures, "error");
  json_builder_add_string_value (self->failures, error->message);
  json_builder_end_object (self->failures);
  if (self->n_problems++ < MAX_PROBLEMS)
    g_string_append_printf (self->problems, "ampsctl: %s: %s\n", id, error->message);
}

static void
ctl_dead_on_letter (const AmpsDeadLetter *letter, const GError *error, gpointer user_data)
{
  Report *self = user_data;

  if (error != NULL)
    {
      ctl_dead_note_failure (self, letter, error);
      return;
    }

  amps_ctl_dead_letter_add_to (letter, self->table);
  amps_ctl_dead_letter_add_json (letter, self->letters);
}

/* JSON */

static void
add_count (JsonBuilder *builder, const char *name, guint64 count)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) count);
}

static void
add_array (JsonBuilder *builder, const char *name, JsonBuilder *array)
{
  json_builder_end_array (array);
  json_builder_set_member_name (builder, name);
  json_builder_add_value (builder, json_builder_get_root (array));
}

static void
print_json (AmpsCtlOutput *output, Report *report, const AmpsDeadLettersCounts *counts,
            const char *done)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_count (builder, "there", counts->n_there);
  add_count (builder, "seen", counts->n_seen);
  add_count (builder, done, counts->n_done);
  if (!g_str_equal (done, "listed"))
    {
      add_count (builder, "failed", counts->n_failed);
      add_array (builder, "failures", report->failures);
    }
  add_array (builder, "dead_letters", report->letters);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  amps_ctl_output_print_json (output, root);
}

/* Listing */

/* The catalogue knows nothing of the formats of GLib. */
static char *
count_to_string (guint64 count)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, count);
}

static void
print_list (AmpsCtlOutput *output, Report *report, const AmpsDeadLettersCounts *counts)
{
  g_autofree char *n_there = count_to_string (counts->n_there);

  if (counts->n_done > 0)
    amps_ctl_table_print (report->table, output);
  else if (counts->n_there == 0)
    amps_ctl_output_print (output, "%s\n", _ ("There are no dead letters."));
  else
    amps_ctl_output_print (output, _ ("None matches. Dead letters in all: %s.\n"), n_there);
}

static gboolean
list (AmpsCtlContext *context, GError **error)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_autoptr (AmpsDeadLetterFilter) filter = make_filter (amps_ctl_context_get_options (context));
  g_auto (Report) report = { 0 };
  AmpsDeadLettersRequest request = { .action = AMPS_DEAD_LETTERS_LIST,
                                     .filter = filter,
                                     .on_letter = ctl_dead_on_letter,
                                     .user_data = &report };
  AmpsDeadLettersCounts counts;

  report_init (&report);
  if (!amps_ctl_dead_run (context, _ ("Reading"), &request, &counts, error))
    return FALSE;

  if (amps_ctl_output_is_json (output))
    print_json (output, &report, &counts, "listed");
  else
    print_list (output, &report, &counts);
  return TRUE;
}

/* Showing */

typedef struct {
  AmpsCtlOutput *output;
  JsonBuilder *letters; /* (owned) */
  guint64 n_shown;
} Show;

static void
on_shown (const AmpsDeadLetter *letter, const GError *error G_GNUC_UNUSED, gpointer user_data)
{
  Show *self = user_data;

  if (amps_ctl_output_is_json (self->output))
    {
      amps_ctl_dead_letter_add_json (letter, self->letters);
      return;
    }

  if (self->n_shown++ > 0)
    amps_ctl_output_write (self->output, "\n");
  amps_ctl_dead_letter_print (letter, self->output);
}

static gboolean
ctl_dead_show (AmpsCtlContext *context, GError **error)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_autoptr (AmpsDeadLetterFilter) filter = amps_dead_letter_filter_new ();
  g_autoptr (JsonBuilder) letters = begin_array ();
  Show state = { output, letters, 0 };
  AmpsDeadLettersRequest request = { .action = AMPS_DEAD_LETTERS_LIST,
                                     .filter = filter,
                                     .with_bodies = TRUE,
                                     .on_letter = on_shown,
                                     .user_data = &state };
  AmpsDeadLettersCounts counts;

  filter->ids = g_strdupv ((char **) amps_ctl_context_get_arguments (context));
  if (!amps_ctl_dead_run (context, _ ("Reading"), &request, &counts, error))
    return FALSE;

  if (counts.n_done == 0)
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED,
                           _ ("there is no such dead letter"));
      return FALSE;
    }

  if (amps_ctl_output_is_json (output))
    {
      g_autoptr (JsonNode) root = json_builder_get_root (json_builder_end_array (letters));

      amps_ctl_output_print_json (output, root);
    }
  return TRUE;
}

/* Moving and removing */

/* Returns: whether the selection is deliberate: made by an option, or confirmed */
static gboolean
check_selection (AmpsCtlContext *context, const AmpsDeadLetterFilter *filter, const char *question,
                 GError **error)
{
  const Options *options = amps_ctl_context_get_options (context);
  gboolean yes = FALSE;

  if (options->all || filter->limit > 0 || !amps_dead_letter_filter_takes_all (filter))
    return TRUE;

  if (!amps_ctl_question_can_be_asked ())
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("choose the dead letters with options, or give --all"));
      return FALSE;
    }

  if (!amps_ctl_question_ask (context, question, &yes, error))
    return FALSE;
  if (!yes)
    g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED, _ ("nothing was done"));
  return yes;
}

static gboolean
check_failures (const Report *report, const AmpsDeadLettersCounts *counts, GError **error)
{
  g_autofree char *n_failed = count_to_string (counts->n_failed);

  if (counts->n_failed == 0)
    return TRUE;

  g_printerr ("%s", report->problems->str);
  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED,
               ngettext ("%s dead letter stayed where it was",
                         "%s dead letters stayed where they were", counts->n_failed),
               n_failed);
  return FALSE;
}

static void
print_moved (AmpsCtlOutput *output, Report *report, const AmpsDeadLettersCounts *counts,
             AmpsDeadLettersAction action)
{
  gboolean redriven = action == AMPS_DEAD_LETTERS_REDRIVE;
  g_autofree char *n_done = count_to_string (counts->n_done);

  if (amps_ctl_output_is_json (output))
    print_json (output, report, counts, redriven ? "redriven" : "purged");
  else if (redriven)
    amps_ctl_output_print (output,
                           ngettext ("%s dead letter was put back.\n",
                                     "%s dead letters were put back.\n", counts->n_done),
                           n_done);
  else
    amps_ctl_output_print (output,
                           ngettext ("%s dead letter was removed.\n",
                                     "%s dead letters were removed.\n", counts->n_done),
                           n_done);
}

static gboolean
ctl_dead_move (AmpsCtlContext *context, AmpsDeadLettersAction action, const char *label,
               const char *question, GError **error)
{
  const Options *options = amps_ctl_context_get_options (context);
  g_autoptr (AmpsDeadLetterFilter) filter = make_filter (options);
  g_auto (Report) report = { 0 };
  AmpsDeadLettersRequest request = {
    .action = action, .filter = filter, .on_letter = ctl_dead_on_letter, .user_data = &report
  };
  AmpsDeadLettersCounts counts;
  gboolean finished;

  report_init (&report);
  if (!check_selection (context, filter, question, error))
    return FALSE;

  /* What is done is told, even if there is an error to tell as well. */
  finished = amps_ctl_dead_run (context, label, &request, &counts, error);
  if (finished || counts.n_seen > 0)
    print_moved (amps_ctl_context_get_output (context), &report, &counts, action);
  return finished && check_failures (&report, &counts, error);
}

static gboolean
is_dry_run (AmpsCtlContext *context)
{
  return ((const Options *) amps_ctl_context_get_options (context))->dry_run;
}

static gboolean
ctl_dead_redrive (AmpsCtlContext *context, GError **error)
{
  if (is_dry_run (context))
    return list (context, error);

  return ctl_dead_move (context, AMPS_DEAD_LETTERS_REDRIVE, _ ("Putting back"),
                        _ ("Put back all dead letters?"), error);
}

static gboolean
purge (AmpsCtlContext *context, GError **error)
{
  if (is_dry_run (context))
    return list (context, error);

  return ctl_dead_move (context, AMPS_DEAD_LETTERS_PURGE, _ ("Removing"),
                        _ ("Remove all dead letters for good?"), error);
}

const AmpsCtlCommand amps_ctl_dead_list_command = {
  .name = "dead list",
  .help = N_ ("List the jobs that AMPS has given up"),
  .description = N_ (
      "The letters are read from the broker, and stay there. Meanwhile no other client sees them."),
  .options = list_options,
  .options_size = sizeof (Options),
  .needs = AMPS_CTL_NEEDS_SUBJECT,
  .run = list,
};

const AmpsCtlCommand amps_ctl_dead_show_command = {
  .name = "dead show",
  .synopsis = N_ ("ID…"),
  .help = N_ ("Show all details of a dead letter, and its event"),
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .needs = AMPS_CTL_NEEDS_SUBJECT,
  .run = ctl_dead_show,
};

const AmpsCtlCommand amps_ctl_dead_redrive_command = {
  .name = "dead redrive",
  .help = N_ ("Put dead letters back, to be tried again"),
  .description =
      N_ ("Each letter goes back to the queue that it came from, and begins with attempt 1. It "
          "leaves the dead letters when the broker has confirmed the copy. No letter is lost, but "
          "if the command is killed, some may be there twice."),
  .options = move_options,
  .options_size = sizeof (Options),
  .needs = AMPS_CTL_NEEDS_SUBJECT,
  .run = ctl_dead_redrive,
};

const AmpsCtlCommand amps_ctl_dead_purge_command = {
  .name = "dead purge",
  .help = N_ ("Remove dead letters for good"),
  .options = move_options,
  .options_size = sizeof (Options),
  .needs = AMPS_CTL_NEEDS_SUBJECT,
  .run = purge,
};
