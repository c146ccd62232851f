/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config-backend.h"
#include "base/amps-log.h"
#include "event/amps-cloudevent.h"

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/**
 * AmpsQueueDeclare:
 * @AMPS_QUEUE_DECLARE_PASSIVE: never declare; wait for the queue
 * @AMPS_QUEUE_DECLARE_AUTO: declare the queue, and its dead letters, when missing
 */
typedef enum {
  AMPS_QUEUE_DECLARE_PASSIVE,
  AMPS_QUEUE_DECLARE_AUTO,
} AmpsQueueDeclare;

/**
 * AmpsQueueType:
 * @AMPS_QUEUE_TYPE_QUORUM: replicated
 * @AMPS_QUEUE_TYPE_CLASSIC: on one node
 */
typedef enum {
  AMPS_QUEUE_TYPE_QUORUM,
  AMPS_QUEUE_TYPE_CLASSIC,
} AmpsQueueType;

/**
 * AmpsWorkloadMode:
 * @AMPS_WORKLOAD_MODE_ASYNC: the answer accepts, the outcome comes by the API
 * @AMPS_WORKLOAD_MODE_SYNC: the answer is the outcome
 */
typedef enum {
  AMPS_WORKLOAD_MODE_ASYNC,
  AMPS_WORKLOAD_MODE_SYNC,
} AmpsWorkloadMode;

/**
 * AmpsWorkloadRestart:
 * @AMPS_WORKLOAD_RESTART_EXPIRE: the jobs that it had accepted are gone with it
 * @AMPS_WORKLOAD_RESTART_KEEP: they run on, in children that outlive the server
 *
 * What it means that the workload refused connections and then took them again.
 */
typedef enum {
  AMPS_WORKLOAD_RESTART_EXPIRE,
  AMPS_WORKLOAD_RESTART_KEEP,
} AmpsWorkloadRestart;

/**
 * AmpsDeadLetterMode:
 * @AMPS_DEAD_LETTER_MODE_QUEUE: they are copied to DEAD_LETTER_QUEUE, which has a
 *   name then, whatever the backend
 * @AMPS_DEAD_LETTER_MODE_BROKER: the broker decides, by the subject's own policy; a
 *   subject without one discards them. DEAD_LETTER_QUEUE is %NULL then
 *
 * What becomes of the jobs that are given up.
 */
typedef enum {
  AMPS_DEAD_LETTER_MODE_QUEUE,
  AMPS_DEAD_LETTER_MODE_BROKER,
} AmpsDeadLetterMode;

/**
 * AmpsConfigScope:
 * @AMPS_CONFIG_SERVICE: AMPS itself: all of them
 * @AMPS_CONFIG_CLIENT: a program that looks for an AMPS or for its broker: only those that say
 *   where they are, the others have their defaults. It need not know BROKER_SUBJECT, which is
 *   %NULL then, as is DEAD_LETTER_QUEUE if nothing sets it
 *
 * Who reads the settings.
 */
typedef enum {
  AMPS_CONFIG_SERVICE,
  AMPS_CONFIG_CLIENT,
} AmpsConfigScope;

/**
 * AmpsTraceSampling:
 * @AMPS_TRACE_SAMPLING_ALWAYS: all
 * @AMPS_TRACE_SAMPLING_NEVER: none
 * @AMPS_TRACE_SAMPLING_RATIO: some, chosen by their ids
 * @AMPS_TRACE_SAMPLING_PARENT_ALWAYS: as in the context of the message; all without one
 * @AMPS_TRACE_SAMPLING_PARENT_NEVER: likewise; none without one
 * @AMPS_TRACE_SAMPLING_PARENT_RATIO: likewise; some without one
 *
 * Which traces are recorded.
 */
typedef enum {
  AMPS_TRACE_SAMPLING_ALWAYS,
  AMPS_TRACE_SAMPLING_NEVER,
  AMPS_TRACE_SAMPLING_RATIO,
  AMPS_TRACE_SAMPLING_PARENT_ALWAYS,
  AMPS_TRACE_SAMPLING_PARENT_NEVER,
  AMPS_TRACE_SAMPLING_PARENT_RATIO,
} AmpsTraceSampling;

/**
 * AMPS_CONFIG_EXIT_STATUS:
 *
 * EX_CONFIG of sysexits.h.
 */
#define AMPS_CONFIG_EXIT_STATUS 78

/**
 * AmpsConfig:
 *
 * The settings of docs/reference/configuration.md. They never change once made, but for
 * secrets that come from files, see [method@Amps.Config.reload_secrets].
 */
#define AMPS_TYPE_CONFIG (amps_config_get_type ())
G_DECLARE_FINAL_TYPE (AmpsConfig, amps_config, AMPS, CONFIG, GObject)

AmpsConfig *amps_config_new (const char *const *environment, const char *dotenv_path,
                             const char *const *options, GError **error);
AmpsConfig *amps_config_new_full (AmpsConfigScope scope, const char *const *environment,
                                  const char *dotenv_path, const char *const *options,
                                  const AmpsConfigBackend *const *backends, GError **error);
gboolean amps_config_reload_secrets (AmpsConfig *self, GError **error);
char *amps_config_to_string (AmpsConfig *self);
char *amps_config_summarise (AmpsConfig *self);
void amps_config_foreach (AmpsConfig *self,
                          void (*func) (const char *name, const char *redacted, gpointer user_data),
                          gpointer user_data);
const char *const *amps_config_get_warnings (AmpsConfig *self);
GOptionGroup *amps_config_create_option_group (AmpsConfigScope scope, GStrvBuilder *given);
gboolean amps_config_check_arguments (int argc, char **argv, GError **error);

const AmpsConfigBackend *amps_config_get_backend (AmpsConfig *self);
const char *const *amps_config_get_broker_uris (AmpsConfig *self);
char *amps_config_dup_traces_url (AmpsConfig *self);
double amps_config_get_trace_ratio (AmpsConfig *self);

/* A getter for each setting. */
#define INNER_SETTING(...)
#define SETTING(NAME, type, getter, ...) type amps_config_get_##getter (AmpsConfig *self);
#include "amps-config-settings.h"

G_END_DECLS
