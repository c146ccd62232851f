/* SPDX-License-Identifier: MIT */
#include "amps-amqp-backend.h"

#include "amps-amqp-topology.h"
#include "amps-amqp-uri.h"
#include "amps-broker-amqp.h"
#include "amps-dead-letters-amqp.h"

static gboolean
amqp_backend_check_uri (const char *uri, GError **error)
{
  g_autoptr (AmpsAmqpUri) parsed = amps_amqp_uri_parse (uri, error);

  return parsed != NULL;
}

const AmpsBrokerBackend amps_amqp_backend = {
  .config = {
    .name = "amqp",
    .tracing_system = "rabbitmq",
    .example = "amqp://user:password@host:5672/vhost, amqps://host",
    .schemes = { "amqp://", "amqps://" },
    .has_authority = TRUE,
    .max_queue_name = AMPS_AMQP_MAX_QUEUE_NAME,
    .check_uri = amqp_backend_check_uri,
  },
  .create = amps_broker_amqp_new,
  .create_dead_letters = amps_dead_letters_amqp_new,
};
