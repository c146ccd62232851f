/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-store.h"
#include "core/amps-mailbox.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedSettings:
 *
 * What the worker needs to know. Never changes, so both threads may read it.
 */
typedef struct {
  char *path;
  char *subject;
  char *dead_letters;
  gboolean durable;
  gint64 lease; /* µs */
} AmpsEmbeddedSettings;

AmpsEmbeddedSettings *amps_embedded_settings_new (const char *uri, const char *subject,
                                                  const char *dead_letters, GError **error);
void amps_embedded_settings_free (AmpsEmbeddedSettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedSettings, amps_embedded_settings_free)

/**
 * AmpsEmbeddedEventKind:
 * @AMPS_EMBEDDED_EVENT_OPENED: the file is open; jobs come if they are wanted
 * @AMPS_EMBEDDED_EVENT_PROBLEM: the file can't be used for now; see the error
 * @AMPS_EMBEDDED_EVENT_JOB: a job was claimed
 * @AMPS_EMBEDDED_EVENT_DONE: the command @id is committed, or has an error
 * @AMPS_EMBEDDED_EVENT_LOST: the leases ran out before they were renewed
 * @AMPS_EMBEDDED_EVENT_CLOSED: the worker has ended; always the last event
 */
typedef enum {
  AMPS_EMBEDDED_EVENT_OPENED,
  AMPS_EMBEDDED_EVENT_PROBLEM,
  AMPS_EMBEDDED_EVENT_JOB,
  AMPS_EMBEDDED_EVENT_DONE,
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
  guint64 id;
  AmpsStoredJob *job; /* (owned) (nullable) */
  GError *error;      /* (owned) (nullable) */
} AmpsEmbeddedEvent;

void amps_embedded_event_free (gpointer event);

/**
 * AmpsEmbeddedWorker:
 *
 * The thread that has the file: commits commands in batches, claims jobs and
 * keeps their leases.
 */
typedef struct _AmpsEmbeddedWorker AmpsEmbeddedWorker;

AmpsEmbeddedWorker *amps_embedded_worker_new (const AmpsEmbeddedSettings *settings,
                                              AmpsMailbox *events);
void amps_embedded_worker_free (AmpsEmbeddedWorker *self);
void amps_embedded_worker_consume (AmpsEmbeddedWorker *self, gboolean consuming,
                                   unsigned int prefetch);
void amps_embedded_worker_publish (AmpsEmbeddedWorker *self, guint64 id, const char *queue,
                                   GBytes *body);
void amps_embedded_worker_settle (AmpsEmbeddedWorker *self, guint64 id, gint64 job,
                                  const AmpsSettlement *settlement);
void amps_embedded_worker_stop (AmpsEmbeddedWorker *self);

G_END_DECLS
