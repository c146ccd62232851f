/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api.h"

#include "amps-ctl-error.h"

#include <glib/gi18n.h>

/* µs: what AMPS says in Retry-After. */
#define RETRY_DELAY ((gint64) G_USEC_PER_SEC)

G_DEFINE_INTERFACE (AmpsCtlApi, amps_ctl_api, G_TYPE_OBJECT)

static void
amps_ctl_api_default_init (AmpsCtlApiInterface *iface G_GNUC_UNUSED)
{
}

/**
 * amps_ctl_api_call_async:
 * @self: a way to AMPS
 * @call: what to ask; needed only until this returns
 * @cancellable: ends the call. There is no other time limit
 * @callback: gets the answer
 * @user_data: passed to @callback
 */
void
amps_ctl_api_call_async (AmpsCtlApi *self, const AmpsCtlCall *call, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  AMPS_CTL_API_GET_IFACE (self)->call_async (self, call, cancellable, callback, user_data);
}

/**
 * amps_ctl_api_call_finish:
 * @self: a way to AMPS
 * @result: what the callback got
 * @error: return location: %AMPS_CTL_ERROR, or %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (nullable): the answer; null where there is nothing in it
 */
JsonNode *
amps_ctl_api_call_finish (AmpsCtlApi *self, GAsyncResult *result, GError **error)
{
  return AMPS_CTL_API_GET_IFACE (self)->call_finish (self, result, error);
}

/**
 * amps_ctl_api_get_place:
 * @self: a way to AMPS
 *
 * Returns: (transfer none): where it leads, for people
 */
const char *
amps_ctl_api_get_place (AmpsCtlApi *self)
{
  return AMPS_CTL_API_GET_IFACE (self)->get_place (self);
}

/* A call that is waited for */

typedef struct {
  gboolean is_done;
  JsonNode *answer; /* (owned) */
  GError *error;    /* (owned) */
} Waiting;

static void
ctl_api_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Waiting *waiting = user_data;

  waiting->answer = amps_ctl_api_call_finish (AMPS_CTL_API (source), result, &waiting->error);
  waiting->is_done = TRUE;
}

static gboolean
ctl_api_is_done (gpointer user_data)
{
  return ((Waiting *) user_data)->is_done;
}

/* Returns: (nullable): the answer, or NULL with an error */
static JsonNode *
call_once (AmpsCtlApi *self, AmpsCtlContext *context, const AmpsCtlCall *call, gint64 timeout,
           GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Waiting waiting = { FALSE };

  amps_ctl_api_call_async (self, call, cancellable, ctl_api_on_answer, &waiting);
  if (amps_ctl_context_wait (context, ctl_api_is_done, &waiting, timeout, error))
    {
      if (waiting.error != NULL)
        g_propagate_error (error, waiting.error);
      return waiting.answer;
    }

  /* Its callback is still to come. */
  g_cancellable_cancel (cancellable);
  while (!waiting.is_done)
    g_main_context_iteration (NULL, TRUE);
  g_clear_error (&waiting.error);
  g_clear_pointer (&waiting.answer, json_node_unref);
  return NULL;
}

/* That nobody has decided yet, or the broker could not be asked: the same call later may do. */
static gboolean
ctl_api_is_worth_repeating (const AmpsCtlCall *call, const GError *error)
{
  return call->kind >= AMPS_CTL_CALL_ACKNOWLEDGE && call->kind <= AMPS_CTL_CALL_PUBLISH &&
         amps_ctl_error_get_exit_status (error) == AMPS_CTL_ERROR_TRY_AGAIN;
}

/**
 * amps_ctl_api_call:
 * @self: a way to AMPS
 * @context: what limits the time and may be cancelled
 * @call: what to ask
 * @error: return location: %AMPS_CTL_ERROR, or %G_IO_ERROR_CANCELLED
 *
 * Asks, and lets the main loop run until there is an answer. What is refused only for now is
 * asked again, until the time is up.
 *
 * Returns: (transfer full) (nullable): the answer; null where there is nothing in it
 */
JsonNode *
amps_ctl_api_call (AmpsCtlApi *self, AmpsCtlContext *context, const AmpsCtlCall *call,
                   GError **error)
{
  gint64 timeout = amps_ctl_context_get_timeout (context);
  gint64 end = g_get_monotonic_time () + timeout;

  while (TRUE)
    {
      gint64 rest = MAX (end - g_get_monotonic_time (), 0);
      g_autoptr (GError) failure = NULL;
      JsonNode *answer = call_once (self, context, call, rest, &failure);

      if (answer != NULL)
        return answer;

      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
                     _ ("%s does not answer within %g s"), amps_ctl_api_get_place (self),
                     (double) timeout / G_USEC_PER_SEC);
      else if (!ctl_api_is_worth_repeating (call, failure) ||
               g_get_monotonic_time () + RETRY_DELAY >= end ||
               !amps_ctl_context_sleep (context, RETRY_DELAY, NULL))
        g_propagate_error (error, g_steal_pointer (&failure));
      else
        continue;
      return NULL;
    }
}
