/* SPDX-License-Identifier: MIT */
#include "amps-broker-factory.h"

#include "amps-broker-backend.h"
#include "amqp/amps-amqp-backend.h"
#include "base/amps-error.h"
#include "embedded/amps-embedded-backend.h"

/**
 * amps_broker_factory_get_backends:
 *
 * Returns: (transfer none) (array zero-terminated=1): the kinds of brokers that there are
 */
const AmpsConfigBackend *const *
amps_broker_factory_get_backends (void)
{
  static const AmpsConfigBackend *const backends[] = {
    &amps_amqp_backend.config,
    &amps_embedded_backend.config,
    NULL,
  };

  return backends;
}

/* The settings were read with the backends from above. */
static const AmpsBrokerBackend *
broker_factory_get_backend (AmpsConfig *config)
{
  return (const AmpsBrokerBackend *) amps_config_get_backend (config);
}

/**
 * amps_broker_factory_create:
 * @config: the settings, read with [func@Amps.broker_factory_get_backends]
 * @clock: what the broker goes by
 *
 * Returns: (transfer full): a broker that has not started
 */
AmpsBroker *
amps_broker_factory_create (AmpsConfig *config, AmpsClock *clock)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (amps_config_get_backend (config) != NULL, NULL);

  return broker_factory_get_backend (config)->create (config, clock);
}

/**
 * amps_broker_factory_create_dead_letters:
 * @config: the settings, read with [func@Amps.broker_factory_get_backends]
 * @clock: what time is measured by
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT if there are none to be had
 *
 * Returns: (transfer full) (nullable): the dead letters of the subject
 */
AmpsDeadLetters *
amps_broker_factory_create_dead_letters (AmpsConfig *config, AmpsClock *clock, GError **error)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (amps_config_get_backend (config) != NULL, NULL);

  if (amps_config_get_dead_letter_queue (config) == NULL)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           "with DEAD_LETTER_MODE=broker AMPS keeps no dead letters: the broker "
                           "decides where rejected jobs go. If that is a queue, name it here: "
                           "DEAD_LETTER_MODE=queue DEAD_LETTER_QUEUE=its-name");
      return NULL;
    }

  return broker_factory_get_backend (config)->create_dead_letters (config, clock, error);
}
