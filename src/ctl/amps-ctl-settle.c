/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-error.h"
#include "amps-ctl-json.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>

/* What is said of jobs, one after the other. */
typedef struct {
  AmpsCtlContext *context;
  AmpsCtlApi *api;    /* (owned) */
  JsonArray *results; /* (owned) */
  GString *failures;  /* (owned) a line for each */
  GError *first;      /* (owned) (nullable) */
} Settling;

static void
settling_clear (Settling *self)
{
  g_clear_object (&self->api);
  json_array_unref (self->results);
  g_string_free (self->failures, TRUE);
  g_clear_error (&self->first);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settling, settling_clear)

static void
ctl_settle_note_failure (Settling *self, JsonObject *result, const char *shown, GError *failure)
{
  json_object_set_string_member (result, "error", failure->message);
  g_string_append_printf (self->failures, "%s%s: %s", self->failures->len > 0 ? "\n" : "", shown,
                          failure->message);
  if (self->first == NULL)
    self->first = g_error_copy (failure);
}

/* @said: what becomes of a job, translated */
static void
ctl_settle_note_success (Settling *self, JsonObject *result, const char *shown, const char *said,
                         JsonNode *answer)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (self->context);
  const char *deadline = JSON_NODE_HOLDS_OBJECT (answer)
                             ? amps_ctl_json_get_text (json_node_get_object (answer), "deadline")
                             : NULL;

  if (deadline != NULL)
    json_object_set_string_member (result, "deadline", deadline);
  if (amps_ctl_output_is_json (output))
    return;

  g_autofree char *clean = deadline != NULL ? amps_ctl_text_clean (deadline) : NULL;

  amps_ctl_output_print (output, "%s: %s%s%s\n", shown, said, clean != NULL ? " " : "",
                         clean != NULL ? clean : "");
}

/* Returns: whether there is any sense in going on */
static gboolean
settle_one (Settling *self, AmpsCtlCall *call, const char *identifier, const char *said)
{
  JsonObject *result = json_object_new ();
  g_autofree char *shown = amps_ctl_text_clean (identifier);
  g_autoptr (GError) failure = NULL;
  g_autoptr (JsonNode) answer = NULL;

  call->identifier = identifier;
  answer = amps_ctl_api_call (self->api, self->context, call, &failure);
  json_object_set_string_member (result, "identifier", shown);
  json_object_set_boolean_member (result, "done", answer != NULL);
  if (answer != NULL)
    ctl_settle_note_success (self, result, shown, said, answer);
  else
    ctl_settle_note_failure (self, result, shown, failure);
  json_array_add_object_element (self->results, result);

  return failure == NULL || amps_ctl_error_get_exit_status (failure) == AMPS_CTL_ERROR_FAILED;
}

static gboolean
check_identifiers (const char *const *identifiers, GError **error)
{
  for (; *identifiers != NULL; identifiers++)
    {
      if (!g_utf8_validate (*identifiers, -1, NULL))
        {
          g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                               _ ("a job's ID must be UTF-8"));
          return FALSE;
        }
    }

  return TRUE;
}

/* Tries each job that is named, whatever becomes of the others. */
static gboolean
ctl_settle_settle (AmpsCtlContext *context, AmpsCtlCall *call, const char *said, GError **error)
{
  const char *const *identifiers = amps_ctl_context_get_arguments (context);
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_auto (Settling) self = { .context = context,
                             .api = amps_ctl_api_factory_create (context, error),
                             .results = json_array_new (),
                             .failures = g_string_new (NULL) };

  if (self.api == NULL || !check_identifiers (identifiers, error))
    return FALSE;

  for (; *identifiers != NULL; identifiers++)
    {
      if (!settle_one (&self, call, *identifiers, said) ||
          g_cancellable_is_cancelled (amps_ctl_context_get_cancellable (context)))
        break;
    }

  if (amps_ctl_output_is_json (output))
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);

      json_node_set_array (node, self.results);
      amps_ctl_output_print_json (output, node);
    }
  if (self.first == NULL)
    return TRUE;

  g_set_error_literal (error, AMPS_CTL_ERROR, amps_ctl_error_get_exit_status (self.first),
                       self.failures->str);
  return FALSE;
}

static gboolean
acknowledge (AmpsCtlContext *context, GError **error)
{
  AmpsCtlCall call = { AMPS_CTL_CALL_ACKNOWLEDGE };

  return ctl_settle_settle (context, &call, _ ("acknowledged"), error);
}

const AmpsCtlCommand amps_ctl_acknowledge_command = {
  .name = "acknowledge",
  .synopsis = "ID…",
  .help = N_ ("Report jobs as done"),
  .description = N_ ("An ID is the id of the event or, better, an Amps-Job-Id."),
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .run = acknowledge,
};

typedef struct {
  char *reason;
  gboolean reschedule;
  gint64 delay;
} RejectOptions;

static const AmpsCtlOption reject_options[] = {
  { "reason", 'r', AMPS_CTL_OPTION_TEXT, G_STRUCT_OFFSET (RejectOptions, reason), N_ ("TEXT"),
    N_ ("The reason, which the dead letter keeps") },
  { "reschedule", 0, AMPS_CTL_OPTION_FLAG, G_STRUCT_OFFSET (RejectOptions, reschedule), NULL,
    N_ ("Give the jobs back, to be redelivered later") },
  { "delay", 0, AMPS_CTL_OPTION_DURATION, G_STRUCT_OFFSET (RejectOptions, delay), N_ ("DURATION"),
    N_ ("With --reschedule, the delay, such as 5m") },
  { NULL },
};

static gboolean
ctl_settle_reject (AmpsCtlContext *context, GError **error)
{
  const RejectOptions *options = amps_ctl_context_get_options (context);
  AmpsCtlCall call = { options->reschedule ? AMPS_CTL_CALL_RESCHEDULE : AMPS_CTL_CALL_REJECT,
                       .text = options->reason, .duration = options->delay };

  if (options->delay > 0 && !options->reschedule)
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("--delay needs --reschedule"));
      return FALSE;
    }
  if (options->reason != NULL && options->reschedule)
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("--reason can't be used with --reschedule"));
      return FALSE;
    }

  return ctl_settle_settle (context, &call, options->reschedule ? _ ("given back") : _ ("rejected"),
                            error);
}

const AmpsCtlCommand amps_ctl_reject_command = {
  .name = "reject",
  .synopsis = "ID…",
  .help = N_ ("Give up on jobs, which become dead letters, or give them back"),
  .description = N_ ("An ID is the id of the event or, better, an Amps-Job-Id."),
  .options = reject_options,
  .options_size = sizeof (RejectOptions),
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .run = ctl_settle_reject,
};

typedef struct {
  gint64 extend;
} HeartbeatOptions;

static const AmpsCtlOption heartbeat_options[] = {
  { "extend", 0, AMPS_CTL_OPTION_DURATION, G_STRUCT_OFFSET (HeartbeatOptions, extend),
    N_ ("DURATION"), N_ ("Time until the new deadline, instead of the usual one") },
  { NULL },
};

static gboolean
heartbeat (AmpsCtlContext *context, GError **error)
{
  const HeartbeatOptions *options = amps_ctl_context_get_options (context);
  AmpsCtlCall call = { AMPS_CTL_CALL_HEARTBEAT, .duration = options->extend };

  return ctl_settle_settle (context, &call, _ ("has time until"), error);
}

const AmpsCtlCommand amps_ctl_heartbeat_command = {
  .name = "heartbeat",
  .synopsis = "ID…",
  .help = N_ ("Restart the time until the deadline of jobs"),
  .options = heartbeat_options,
  .options_size = sizeof (HeartbeatOptions),
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .run = heartbeat,
};
