/* SPDX-License-Identifier: MIT */
#include "amps-embedded-backend.h"

#include "amps-broker-embedded.h"
#include "amps-dead-letters-embedded.h"
#include "amps-embedded-worker.h"

/* SQLite has no limit that matters. This is RabbitMQ's, so that jobs can move there. */
#define MAX_QUEUE_NAME 255

static gboolean
embedded_backend_check_uri (const char *uri, GError **error)
{
  g_autoptr (AmpsEmbeddedSettings) settings = amps_embedded_settings_new (uri, NULL, NULL, error);

  return settings != NULL;
}

/* OpenTelemetry has no word for it, so it is its own. */
const AmpsBrokerBackend amps_embedded_backend = {
  .config = {
    .name = "embedded",
    .tracing_system = "amps_embedded",
    .example = "sqlite:///path/queue.db",
    .schemes = { "sqlite:" },
    .max_queue_name = MAX_QUEUE_NAME,
    .check_uri = embedded_backend_check_uri,
  },
  .create = amps_broker_embedded_new,
  .create_dead_letters = amps_dead_letters_embedded_new,
};
