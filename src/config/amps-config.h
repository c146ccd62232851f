/* SPDX-License-Identifier: MIT */
#pragma once

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

/**
 * AmpsBrokerUriCheckFunc:
 * @broker_type: what BROKER_TYPE would be
 * @uri: one of BROKER_HOST
 * @error: return location: what is wrong with @uri, without showing it
 *
 * Returns: whether the backend can make sense of @uri
 */
typedef gboolean (*AmpsBrokerUriCheckFunc) (const char *broker_type, const char *uri,
                                            GError **error);

AmpsConfig *amps_config_new (const char *const *environment, const char *dotenv_path,
                             const char *const *options, GError **error);
AmpsConfig *amps_config_new_full (AmpsConfigScope scope, const char *const *environment,
                                  const char *dotenv_path, const char *const *options,
                                  AmpsBrokerUriCheckFunc check_uri, GError **error);
gboolean amps_config_reload_secrets (AmpsConfig *self, GError **error);
char *amps_config_to_string (AmpsConfig *self);
char *amps_config_summarise (AmpsConfig *self);
void amps_config_foreach (AmpsConfig *self,
                          void (*func) (const char *name, const char *redacted, gpointer user_data),
                          gpointer user_data);
const char *const *amps_config_get_warnings (AmpsConfig *self);
GOptionGroup *amps_config_create_option_group (AmpsConfigScope scope, GStrvBuilder *given);
gboolean amps_config_check_arguments (int argc, char **argv, GError **error);

const char *const *amps_config_get_broker_uris (AmpsConfig *self);
const char *amps_config_get_broker_type (AmpsConfig *self);
const char *amps_config_get_subject (AmpsConfig *self);
AmpsQueueDeclare amps_config_get_queue_declare (AmpsConfig *self);
AmpsQueueType amps_config_get_queue_type (AmpsConfig *self);
const char *amps_config_get_worker_id (AmpsConfig *self);
unsigned int amps_config_get_max_concurrency (AmpsConfig *self);
gint64 amps_config_get_job_timeout (AmpsConfig *self);
gint64 amps_config_get_heartbeat_timeout (AmpsConfig *self);
const char *amps_config_get_workload_address (AmpsConfig *self);
gint64 amps_config_get_workload_response_timeout (AmpsConfig *self);
AmpsWorkloadMode amps_config_get_workload_mode (AmpsConfig *self);
const char *amps_config_get_workload_content_type (AmpsConfig *self);
unsigned int amps_config_get_workload_batch_size (AmpsConfig *self);
gint64 amps_config_get_workload_batch_wait (AmpsConfig *self);
AmpsWorkloadRestart amps_config_get_workload_restart (AmpsConfig *self);
const char *amps_config_get_workload_ready_path (AmpsConfig *self);
const char *amps_config_get_workload_ca_file (AmpsConfig *self);
const char *amps_config_get_workload_cert_file (AmpsConfig *self);
const char *amps_config_get_workload_key_file (AmpsConfig *self);
unsigned int amps_config_get_max_attempts (AmpsConfig *self);
gint64 amps_config_get_retry_min_backoff (AmpsConfig *self);
gint64 amps_config_get_retry_max_backoff (AmpsConfig *self);
const char *amps_config_get_dead_letter_queue (AmpsConfig *self);
AmpsDeadLetterMode amps_config_get_dead_letter_mode (AmpsConfig *self);
AmpsEventValidation amps_config_get_event_validation (AmpsConfig *self);
gint64 amps_config_get_drain_timeout (AmpsConfig *self);
guint16 amps_config_get_port (AmpsConfig *self);
gboolean amps_config_get_metrics_enabled (AmpsConfig *self);
guint16 amps_config_get_metrics_port (AmpsConfig *self);
const char *amps_config_get_api_url (AmpsConfig *self);
const char *amps_config_get_api_socket (AmpsConfig *self);
mode_t amps_config_get_api_socket_mode (AmpsConfig *self);
const char *amps_config_get_api_token (AmpsConfig *self);
gboolean amps_config_get_api_allow_remote (AmpsConfig *self);
gsize amps_config_get_max_body_size (AmpsConfig *self);
gsize amps_config_get_max_in_flight_bytes (AmpsConfig *self);
AmpsLogFormat amps_config_get_log_format (AmpsConfig *self);
gboolean amps_config_get_debug (AmpsConfig *self);
const char *amps_config_get_sentry_dsn (AmpsConfig *self);
const char *amps_config_get_environment (AmpsConfig *self);
const char *amps_config_get_dbus_bus (AmpsConfig *self);
char *amps_config_dup_traces_url (AmpsConfig *self);
const char *amps_config_get_otlp_headers (AmpsConfig *self);
unsigned int amps_config_get_otlp_timeout (AmpsConfig *self);
const char *amps_config_get_service_name (AmpsConfig *self);
const char *amps_config_get_resource_attributes (AmpsConfig *self);
AmpsTraceSampling amps_config_get_trace_sampling (AmpsConfig *self);
double amps_config_get_trace_ratio (AmpsConfig *self);

G_END_DECLS
