/* SPDX-License-Identifier: MIT */
#include "amps-broker-factory.h"

#include "amqp/amps-broker-amqp.h"
#include "embedded/amps-broker-embedded.h"

static const struct {
  const char *type;
  AmpsBroker *(*create) (AmpsConfig *config, AmpsClock *clock);
} backends[] = {
  { "amqp", amps_broker_amqp_new },
  { "embedded", amps_broker_embedded_new },
};

/**
 * amps_broker_factory_create:
 * @config: the settings, which name the type of broker
 * @clock: what the broker goes by
 *
 * Returns: (transfer full): a broker that has not started
 */
AmpsBroker *
amps_broker_factory_create (AmpsConfig *config, AmpsClock *clock)
{
  const char *type = amps_config_get_broker_type (config);

  for (unsigned int i = 0; i < G_N_ELEMENTS (backends); i++)
    {
      if (g_str_equal (backends[i].type, type))
        return backends[i].create (config, clock);
    }

  /* The settings allow no other type. */
  g_return_val_if_reached (NULL);
}
