/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * AmpsCtlCallKind:
 * @AMPS_CTL_CALL_ALIVE: whether it answers at all
 * @AMPS_CTL_CALL_READY: "status" is "ready", or "details" says why it is not
 * @AMPS_CTL_CALL_DETAILS: its state, jobs and settings
 * @AMPS_CTL_CALL_JOBS: one page of the jobs in flight, behind @after
 * @AMPS_CTL_CALL_ACKNOWLEDGE: a job is done
 * @AMPS_CTL_CALL_REJECT: a job becomes a dead letter, with a @text that says why
 * @AMPS_CTL_CALL_RESCHEDULE: a job goes back, for a @duration
 * @AMPS_CTL_CALL_HEARTBEAT: a job gets more time, a @duration or what is usual
 * @AMPS_CTL_CALL_PUBLISH: an @event
 * @AMPS_CTL_CALL_PAUSE: takes no more messages
 * @AMPS_CTL_CALL_RESUME: takes them again
 * @AMPS_CTL_CALL_DRAIN: takes no more, and gives back what has not begun
 * @AMPS_CTL_CALL_CONCURRENCY: how many jobs may be in the workload, a @number
 *
 * What can be asked of an AMPS.
 */
typedef enum {
  AMPS_CTL_CALL_ALIVE,
  AMPS_CTL_CALL_READY,
  AMPS_CTL_CALL_DETAILS,
  AMPS_CTL_CALL_JOBS,
  AMPS_CTL_CALL_ACKNOWLEDGE,
  AMPS_CTL_CALL_REJECT,
  AMPS_CTL_CALL_RESCHEDULE,
  AMPS_CTL_CALL_HEARTBEAT,
  AMPS_CTL_CALL_PUBLISH,
  AMPS_CTL_CALL_PAUSE,
  AMPS_CTL_CALL_RESUME,
  AMPS_CTL_CALL_DRAIN,
  AMPS_CTL_CALL_CONCURRENCY,
} AmpsCtlCallKind;
#define AMPS_CTL_N_CALLS (AMPS_CTL_CALL_CONCURRENCY + 1)

/**
 * AmpsCtlCall:
 * @kind: what is asked
 * @identifier: (nullable): of the job
 * @text: (nullable): the reason
 * @after: (nullable): where the page begins
 * @duration: µs; 0 if none is given
 * @event: (nullable): the bytes of an event
 * @number: a limit, of jobs on the page or in the workload
 *
 * A call and what belongs to it.
 */
typedef struct {
  AmpsCtlCallKind kind;
  const char *identifier;
  const char *text;
  const char *after;
  gint64 duration;
  GBytes *event;
  guint64 number;
} AmpsCtlCall;

/**
 * AmpsCtlApi:
 *
 * A way to an AMPS. Answers have the form of those of HTTP, see docs/reference/api.md, whatever
 * the way.
 */
#define AMPS_CTL_TYPE_API (amps_ctl_api_get_type ())
G_DECLARE_INTERFACE (AmpsCtlApi, amps_ctl_api, AMPS_CTL, API, GObject)

/**
 * AmpsCtlApiInterface:
 * @call_async: see [method@AmpsCtl.Api.call_async]
 * @call_finish: see [method@AmpsCtl.Api.call_finish]
 * @get_place: where it leads, for people
 */
struct _AmpsCtlApiInterface {
  GTypeInterface parent_interface;

  void (*call_async) (AmpsCtlApi *self, const AmpsCtlCall *call, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  JsonNode *(*call_finish) (AmpsCtlApi *self, GAsyncResult *result, GError **error);
  const char *(*get_place) (AmpsCtlApi *self);
};

void amps_ctl_api_call_async (AmpsCtlApi *self, const AmpsCtlCall *call, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
JsonNode *amps_ctl_api_call_finish (AmpsCtlApi *self, GAsyncResult *result, GError **error);
const char *amps_ctl_api_get_place (AmpsCtlApi *self);

JsonNode *amps_ctl_api_call (AmpsCtlApi *self, AmpsCtlContext *context, const AmpsCtlCall *call,
                             GError **error);

G_END_DECLS
