/* SPDX-License-Identifier: MIT */
#include "amps-log-event.h"

/* People search and alert by these: a name or an id is never changed, nor used for something
 * else. Each id was made by `systemd-id128 new`. */
static const struct {
  const char *name;
  const char *message_id;
  gboolean quotes; /* its text may hold words of an event, of the workload or of a library */
} events[] = {
  [AMPS_LOG_EVENT_SETTINGS] = { "settings", "507c9633a752414392db730453a326f5" },
  [AMPS_LOG_EVENT_SETTING_WARNING] = { "setting-warning", "3b1daa6b0daa4186b8a210deac308b48" },
  [AMPS_LOG_EVENT_FILE_LIMIT_LOW] = { "file-limit-low", "f6149e6c3bd14427a00551d048bf7197" },
  [AMPS_LOG_EVENT_START_FAILED] = { "start-failed", "36b4d3bbe1124b69942e46c6cd7c5a3d" },
  [AMPS_LOG_EVENT_SECRETS_READ] = { "secrets-read", "aea6857f5f9846fcb4bc628739b098eb" },
  [AMPS_LOG_EVENT_SECRETS_KEPT] = { "secrets-kept", "7c17cbad49244d41a54e83a507c2d2ba" },
  [AMPS_LOG_EVENT_CONCURRENCY_CHANGED] = { "concurrency-changed",
                                           "6dafdaadfc7c4d8c900f1831751d78fb" },
  [AMPS_LOG_EVENT_DRAINING] = { "draining", "5e5506d7b41342cb897dc32549c4d367" },
  [AMPS_LOG_EVENT_STOPPING] = { "stopping", "aa533746ccbc42b882bfc91abf7c43e9" },
  [AMPS_LOG_EVENT_STOPPING_AT_ONCE] = { "stopping-at-once", "8604bf1db9af4db385357b05875caa99" },
  [AMPS_LOG_EVENT_DRAIN_TIMEOUT] = { "drain-timeout", "23fbfd52bdc649cc9095c586530a86ce" },
  [AMPS_LOG_EVENT_JOBS_UNSETTLED] = { "jobs-unsettled", "d293433c662141a6a0ad04be54ef87cd" },
  [AMPS_LOG_EVENT_FLUSH_FAILED] = { "flush-failed", "b7dec70c735d48f4b987ad1bee401c56" },
  [AMPS_LOG_EVENT_SERVICE_MANAGER_FAILED] = { "service-manager-failed",
                                              "25db480a013144b0a37a3629195f2397" },
  [AMPS_LOG_EVENT_JOB_RECEIVED] = { "job-received", "d76211a6df99476eb044eca0a51709e1" },
  [AMPS_LOG_EVENT_JOB_ATTACHED] = { "job-attached", "9a3a33272c4d457cab01f43406a2ddac" },
  [AMPS_LOG_EVENT_JOB_RECALLED] = { "job-recalled", "a183e7096e88412aabe98aafe96d5f3d" },
  [AMPS_LOG_EVENT_JOB_DUPLICATE] = { "job-duplicate", "4175996025094f2b97e0cbb9d054ccba" },
  [AMPS_LOG_EVENT_JOB_FOLLOWS] = { "job-follows", "c434a6de99af4c94854b38fb2c787266" },
  [AMPS_LOG_EVENT_JOB_POSTED] = { "job-posted", "8a1a4246f2e6445a806907e45e67cb74" },
  [AMPS_LOG_EVENT_JOB_ANSWERED] = { "job-answered", "ee16c831455b49f69c30d42ef007b675" },
  [AMPS_LOG_EVENT_JOB_ENDED] = { "job-ended", "515cfdd13f4b46f19b047c3408a4b011" },
  [AMPS_LOG_EVENT_JOB_SETTLED] = { "job-settled", "b1475f2450574a26a6ffa863b42dfe98" },
  [AMPS_LOG_EVENT_JOB_FAILED] = { "job-failed", "3d012ccad875400bbed229a8139ee428", TRUE },
  [AMPS_LOG_EVENT_JOB_EXPIRED] = { "job-expired", "ff543e2006054e128413b15225af6d78" },
  [AMPS_LOG_EVENT_JOB_REJECTED] = { "job-rejected", "b8fb84fec1d748408df2e332ccd146fd", TRUE },
  [AMPS_LOG_EVENT_JOB_MALFORMED] = { "job-malformed", "2aa45f1872e34a5489793a34e849673f", TRUE },
  [AMPS_LOG_EVENT_JOB_WAITS_HERE] = { "job-waits-here", "ed95c700c9d54157958f3253d14569fa" },
  [AMPS_LOG_EVENT_SETTLE_FAILED] = { "settle-failed", "8b221b6204f6450e8be7e3191ce4390c" },
  [AMPS_LOG_EVENT_DEAD_LETTER_FAILED] = { "dead-letter-failed",
                                          "6ce54352ed2d40c4a5743652b0062fe5" },
  [AMPS_LOG_EVENT_EVENT_NONCONFORMING] = { "event-nonconforming",
                                           "92821e46e10a465c89bfbe51a535864e", TRUE },
  [AMPS_LOG_EVENT_JOBS_DETACHED] = { "jobs-detached", "4cfb191562434b23afe49866ec907bef" },
  [AMPS_LOG_EVENT_JOBS_GIVEN_BACK] = { "jobs-given-back", "7cd6df1909ab4fc686b3307bc3f86807" },
  [AMPS_LOG_EVENT_WORKLOAD_AVAILABLE] = { "workload-available",
                                          "f97dcbc501334684875cb9a976f87ac9" },
  [AMPS_LOG_EVENT_WORKLOAD_UNAVAILABLE] = { "workload-unavailable",
                                            "b3fa4f5104ea43e18d84f8a015bec5b0" },
  [AMPS_LOG_EVENT_WORKLOAD_WAITING] = { "workload-waiting", "e381426d8b3c46139d338651e052f8a2" },
  [AMPS_LOG_EVENT_WORKLOAD_RESTARTED] = { "workload-restarted",
                                          "acfdb3502e4d4648b3fbfb6ceec1295e" },
  [AMPS_LOG_EVENT_WORKLOAD_REFUSES] = { "workload-refuses", "53e37deed5924d09a9e299be1b04e7f6" },
  [AMPS_LOG_EVENT_WORKLOAD_ACCEPTS] = { "workload-accepts", "89308b9a00c740b6a781b6b48a11dd88" },
  [AMPS_LOG_EVENT_WORKLOAD_TLS_FAILED] = { "workload-tls-failed",
                                           "9f40906e7a2d481b8ebdbe4997e30f86" },
  [AMPS_LOG_EVENT_RETRY_AFTER_IGNORED] = { "retry-after-ignored",
                                           "07018469e3064fe1ae0f8d4c338a563e" },
  [AMPS_LOG_EVENT_BROKER_CONNECTED] = { "broker-connected", "df60afd388544a88a990556321e22b02" },
  [AMPS_LOG_EVENT_BROKER_STATE] = { "broker-state", "a8e62470fbe2414a95d2cecfa186280d" },
  [AMPS_LOG_EVENT_BROKER_FAILED] = { "broker-failed", "c8595fe85fdd4564b780f26da748fbd2" },
  [AMPS_LOG_EVENT_CONNECTION_BROKEN] = { "connection-broken", "cc6f372846ef4c2da7a62e2fe434ac54" },
  [AMPS_LOG_EVENT_PUBLISHER_CLOSED] = { "publisher-closed", "ceda2aaed7d345748955b3bfaa5e2786" },
  [AMPS_LOG_EVENT_CONSUMER_TIMEOUT_SHORT] = { "consumer-timeout-short",
                                              "0a446234bfb144229b8004ef770c6ff8" },
  [AMPS_LOG_EVENT_REJECTED_MAY_BE_LOST] = { "rejected-may-be-lost",
                                            "3cc95b0eb6494d579a68232399085db8" },
  [AMPS_LOG_EVENT_DEAD_LETTER_KEPT] = { "dead-letter-kept", "665f9649d7e446e69043ba7731df393a" },
  [AMPS_LOG_EVENT_MESSAGES_GIVEN_BACK] = { "messages-given-back",
                                           "140cc464de6244ae9ac7c885acacef49" },
  [AMPS_LOG_EVENT_MESSAGE_REPLACED] = { "message-replaced", "ee466b23939046ffae4efb4a2ae700aa" },
  [AMPS_LOG_EVENT_COPY_DROPPED] = { "copy-dropped", "3ae3444082f94f698481f7e8e061adf2" },
  [AMPS_LOG_EVENT_COPY_WITHOUT_HEADERS] = { "copy-without-headers",
                                            "aa4297a16aaa467abedc090d8e6b2b2a" },
  [AMPS_LOG_EVENT_LEASES_ENDED] = { "leases-ended", "8fefea412a694865af0bd9ab33af7c77" },
  [AMPS_LOG_EVENT_LEASES_KEPT] = { "leases-kept", "54110e46f1514e5892883247545cfaf7" },
  [AMPS_LOG_EVENT_LEASES_LOST] = { "leases-lost", "55c5bc25bb1a4b57823d36a8dbdf7ea1" },
  [AMPS_LOG_EVENT_FILE_EXPOSED] = { "file-exposed", "6086c2af892e40c29c9d790eaea2a64b" },
  [AMPS_LOG_EVENT_ACCEPT_FAILED] = { "accept-failed", "03bfd3eac217498294c13b04acf672f6" },
  [AMPS_LOG_EVENT_CLIENT_LEFT] = { "client-left", "35f50bd69dbe426cbc1db79938369299" },
  [AMPS_LOG_EVENT_CLIENT_REFUSED] = { "client-refused", "cff5bace6269440da75b2063a4de3ba7" },
  [AMPS_LOG_EVENT_SOCKET_NOT_REMOVED] = { "socket-not-removed",
                                          "6d622c1ab8b44108be5dab634e53cf20" },
  [AMPS_LOG_EVENT_DBUS_JOINED] = { "dbus-joined", "feb0c4d14dc74c239c0dde2d5b6101ea" },
  [AMPS_LOG_EVENT_DBUS_MISSING] = { "dbus-missing", "3c898fd7401143e894f09f779c6cc83b" },
  [AMPS_LOG_EVENT_DBUS_LOST] = { "dbus-lost", "c3a439239f7142ceaf227577ceb7dea7" },
  [AMPS_LOG_EVENT_DBUS_NAME_REFUSED] = { "dbus-name-refused", "45c1ef48b075486985955008c2afa80f" },
  [AMPS_LOG_EVENT_DBUS_CALLER_UNKNOWN] = { "dbus-caller-unknown",
                                           "086082e9836b45de9cfb6325277a8f30" },
  [AMPS_LOG_EVENT_TRACES_FAILED] = { "traces-failed", "91d7d2d94015463b8f0ba67511be0f9c" },
  [AMPS_LOG_EVENT_TRACES_UNSENT] = { "traces-unsent", "65e0813402164356bfa8ee305abae485" },
  [AMPS_LOG_EVENT_SENTRY_FAILED] = { "sentry-failed", "c05bee5a383d42a6b9868e20f894019c" },
  [AMPS_LOG_EVENT_SYSTEM_FAILED] = { "system-failed", "eccefcaf10e043cb8e03c1c9da3eba9f" },
  [AMPS_LOG_EVENT_DEFECT] = { "defect", "3076aab2e9d74c028b9490ba079c29dc" },
  [AMPS_LOG_EVENT_LIBRARY] = { "library", "12b23759736048f7b522d3fec9731089", TRUE },
};
G_STATIC_ASSERT (G_N_ELEMENTS (events) == AMPS_N_LOG_EVENTS);

/**
 * amps_log_event_to_string:
 * @event: one of them
 *
 * Returns: its name, in lower case with dashes: `event` in JSON, AMPS_EVENT in the journal
 */
const char *
amps_log_event_to_string (AmpsLogEvent event)
{
  return events[event].name;
}

/**
 * amps_log_event_get_message_id:
 * @event: one of them
 *
 * Returns: its MESSAGE_ID in the journal: 128 bits in hexadecimal
 */
const char *
amps_log_event_get_message_id (AmpsLogEvent event)
{
  return events[event].message_id;
}

/**
 * amps_log_event_quotes:
 * @event: one of them
 *
 * Returns: whether its text may hold words of a CloudEvent, of the workload or of a library,
 *   and so is only for the log
 */
gboolean
amps_log_event_quotes (AmpsLogEvent event)
{
  return events[event].quotes;
}
