/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-store.h"
#include "base/amps-mailbox.h"
#include "event/amps-cloudevent.h"
#include "jobs/amps-delivery.h"
#include "metrics/amps-queue-depths.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedCommandKind:
 * @AMPS_EMBEDDED_COMMAND_CONSUME: claim jobs, or claim no more
 * @AMPS_EMBEDDED_COMMAND_PUBLISH: put a job into a queue
 * @AMPS_EMBEDDED_COMMAND_SETTLE: say what became of a job
 * @AMPS_EMBEDDED_COMMAND_END: the leases of an epoch have run out; begin another one
 * @AMPS_EMBEDDED_COMMAND_COUNT: count the jobs that wait
 * @AMPS_EMBEDDED_COMMAND_STOP: do what came before, then end
 */
typedef enum {
  AMPS_EMBEDDED_COMMAND_CONSUME,
  AMPS_EMBEDDED_COMMAND_PUBLISH,
  AMPS_EMBEDDED_COMMAND_SETTLE,
  AMPS_EMBEDDED_COMMAND_END,
  AMPS_EMBEDDED_COMMAND_COUNT,
  AMPS_EMBEDDED_COMMAND_STOP,
} AmpsEmbeddedCommandKind;

/**
 * AmpsEmbeddedCommand:
 *
 * What the main thread wants of the worker.
 */
typedef struct {
  AmpsMail mail;
  AmpsEmbeddedCommandKind kind;
  guint64 id; /* told when it is committed; 0 when nobody waits */
  gboolean consuming;
  unsigned int prefetch;
  char *queue;        /* (owned) (nullable) */
  GBytes *body;       /* (owned) (nullable) */
  unsigned int epoch; /* of the job, or the one that has ended */
  gint64 job;
  AmpsSettlement settlement; /* its detail is (owned) */
  AmpsSettled settled;       /* found out while settling */
  GError *refusal;           /* (owned) (nullable) why it can't be done, now or later */
} AmpsEmbeddedCommand;

AmpsEmbeddedCommand *amps_embedded_command_new (AmpsEmbeddedCommandKind kind, guint64 id);
void amps_embedded_command_free (gpointer command);

/**
 * AmpsEmbeddedEventKind:
 * @AMPS_EMBEDDED_EVENT_OPENED: the file is open; jobs come if they are wanted
 * @AMPS_EMBEDDED_EVENT_PROBLEM: the file can't be used for now; see the error
 * @AMPS_EMBEDDED_EVENT_JOB: a job was claimed
 * @AMPS_EMBEDDED_EVENT_DONE: the command @id is committed, or has an error
 * @AMPS_EMBEDDED_EVENT_RENEWED: the leases on all jobs last longer
 * @AMPS_EMBEDDED_EVENT_COUNTED: the jobs are counted, for the command @id
 * @AMPS_EMBEDDED_EVENT_FULL: there is no room for the next job, which has @id bytes
 * @AMPS_EMBEDDED_EVENT_LOST: an epoch has ended; what is left of it comes again
 * @AMPS_EMBEDDED_EVENT_CLOSED: the worker has ended; always the last event
 */
typedef enum {
  AMPS_EMBEDDED_EVENT_OPENED,
  AMPS_EMBEDDED_EVENT_PROBLEM,
  AMPS_EMBEDDED_EVENT_JOB,
  AMPS_EMBEDDED_EVENT_DONE,
  AMPS_EMBEDDED_EVENT_RENEWED,
  AMPS_EMBEDDED_EVENT_COUNTED,
  AMPS_EMBEDDED_EVENT_FULL,
  AMPS_EMBEDDED_EVENT_LOST,
  AMPS_EMBEDDED_EVENT_CLOSED,
} AmpsEmbeddedEventKind;

/**
 * AmpsEmbeddedEvent:
 *
 * What the worker has to tell the main thread.
 */
typedef struct {
  AmpsMail mail;
  AmpsEmbeddedEventKind kind;
  guint64 id;          /* of the command; or how many jobs are lost to others, or bytes */
  gint64 lease_end;    /* boot µs: of a job, or of all when they are renewed */
  GError *error;       /* (owned) (nullable) of a job: why its body is no event */
  AmpsSettled settled; /* of a settlement that is done */

  /* Of a job: */
  AmpsDelivery *delivery; /* (owned) (nullable); its epoch and when it came are to be filled in */
  AmpsCloudEvent *found;  /* (owned) (nullable) what its body is */

  AmpsQueueDepths *depths; /* (owned) (nullable) of what was counted */
} AmpsEmbeddedEvent;

AmpsEmbeddedEvent *amps_embedded_event_new (AmpsEmbeddedEventKind kind, guint64 id, GError *error);
AmpsEmbeddedEvent *amps_embedded_event_new_job (const AmpsStoredJob *job, gint64 lease_end,
                                                gsize max_body_size,
                                                AmpsEventValidation validation);
void amps_embedded_event_free (gpointer event);

G_END_DECLS
