/* SPDX-License-Identifier: MIT */
#include "amps-broker-factory.h"

#include "amqp/amps-amqp-uri.h"
#include "amqp/amps-broker-amqp.h"
#include "amqp/amps-dead-letters-amqp.h"
#include "base/amps-error.h"
#include "embedded/amps-broker-embedded.h"
#include "embedded/amps-dead-letters-embedded.h"
#include "embedded/amps-embedded-worker.h"

static gboolean
check_amqp_uri (const char *uri, GError **error)
{
  g_autoptr (AmpsAmqpUri) parsed = amps_amqp_uri_parse (uri, error);

  return parsed != NULL;
}

static gboolean
check_embedded_uri (const char *uri, GError **error)
{
  g_autoptr (AmpsEmbeddedSettings) settings = amps_embedded_settings_new (uri, NULL, NULL, error);

  return settings != NULL;
}

typedef struct {
  const char *type;
  AmpsBroker *(*create) (AmpsConfig *config, AmpsClock *clock);
  AmpsDeadLetters *(*create_dead_letters) (AmpsConfig *config, AmpsClock *clock, GError **error);
  gboolean (*check_uri) (const char *uri, GError **error);
} Backend;

static const Backend *
broker_factory_find_backend (const char *type)
{
  static const Backend backends[] = {
    { "amqp", amps_broker_amqp_new, amps_dead_letters_amqp_new, check_amqp_uri },
    { "embedded", amps_broker_embedded_new, amps_dead_letters_embedded_new, check_embedded_uri },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (backends); i++)
    {
      if (g_str_equal (backends[i].type, type))
        return &backends[i];
    }

  /* The settings allow no other type. */
  g_assert_not_reached ();
}

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
  return broker_factory_find_backend (amps_config_get_broker_type (config))->create (config, clock);
}

/**
 * amps_broker_factory_create_dead_letters:
 * @config: the settings, which name the type of broker
 * @clock: what time is measured by
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT if there are none to be had
 *
 * Returns: (transfer full) (nullable): the dead letters of the subject
 */
AmpsDeadLetters *
amps_broker_factory_create_dead_letters (AmpsConfig *config, AmpsClock *clock, GError **error)
{
  if (amps_config_get_dead_letter_queue (config) == NULL)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           "with DEAD_LETTER_MODE=broker AMPS keeps no dead letters: the broker "
                           "decides where rejected jobs go. If that is a queue, name it here: "
                           "DEAD_LETTER_MODE=queue DEAD_LETTER_QUEUE=its-name");
      return NULL;
    }

  return broker_factory_find_backend (amps_config_get_broker_type (config))
      ->create_dead_letters (config, clock, error);
}

/**
 * amps_broker_factory_check_uri:
 * @broker_type: a type of broker
 * @uri: what is to tell where it is
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * See AmpsBrokerUriCheckFunc.
 *
 * Returns: whether brokers of that type can make sense of @uri
 */
gboolean
amps_broker_factory_check_uri (const char *broker_type, const char *uri, GError **error)
{
  return broker_factory_find_backend (broker_type)->check_uri (uri, error);
}
