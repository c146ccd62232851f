/* SPDX-License-Identifier: MIT */
#include "amps-amqp-settings.h"

/* For a dead letter that is looked at: less than any broker wants it back after. */
#define MAX_STAY (10 * 60 * G_USEC_PER_SEC)

/* Larger bodies are not copied either. */
#define MAX_DEAD_LETTER_SIZE (128 * 1024 * 1024)

/**
 * amps_amqp_settings_new:
 * @config: the settings
 *
 * Returns: (transfer full): those of them that the I/O threads need
 */
AmpsAmqpSettings *
amps_amqp_settings_new (AmpsConfig *config)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  AmpsAmqpSettings *self = g_new0 (AmpsAmqpSettings, 1);

  self->subject = g_strdup (amps_config_get_subject (config));
  self->worker_id = g_strdup (amps_config_get_worker_id (config));
  self->dead_letter_queue = g_strdup (amps_config_get_dead_letter_queue (config));
  self->declares = amps_config_get_queue_declare (config) == AMPS_QUEUE_DECLARE_AUTO;
  self->quorum = amps_config_get_queue_type (config) == AMPS_QUEUE_TYPE_QUORUM;
  self->max_body_size = amps_config_get_max_body_size (config);
  self->max_kept_size =
      self->dead_letter_queue != NULL ? MAX_DEAD_LETTER_SIZE : self->max_body_size;
  self->budget = amps_byte_budget_new (amps_config_get_max_in_flight_bytes (config));
  self->event_validation = amps_config_get_event_validation (config);
  self->job_timeout = amps_config_get_job_timeout (config);
  return self;
}

/**
 * amps_amqp_settings_new_for_dead_letters:
 * @config: the settings, in which dead letters have a queue
 *
 * Returns: (transfer full): for connections that consume that queue, and whatever is in it
 */
AmpsAmqpSettings *
amps_amqp_settings_new_for_dead_letters (AmpsConfig *config)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  AmpsAmqpSettings *self = amps_amqp_settings_new (config);

  g_free (self->subject);
  self->subject = g_strdup (self->dead_letter_queue);
  g_free (self->worker_id);
  self->worker_id = g_strdup_printf ("%s dead letters", amps_config_get_worker_id (config));
  self->declares = FALSE;
  self->event_validation = AMPS_EVENT_VALIDATION_LENIENT;
  self->job_timeout = MAX_STAY;
  return self;
}

/**
 * amps_amqp_settings_free:
 * @self: (transfer full): settings that no thread needs any more
 */
void
amps_amqp_settings_free (AmpsAmqpSettings *self)
{
  amps_byte_budget_unref (self->budget);
  g_free (self->subject);
  g_free (self->worker_id);
  g_free (self->dead_letter_queue);
  g_free (self);
}
