/* SPDX-License-Identifier: MIT */
#include "amqp-fixture.h"

#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)

static void
on_event (AmpsMail *mail, gpointer user_data)
{
  AmqpFixture *self = user_data;

  g_ptr_array_add (self->events, mail);
}

void
amqp_fixture_init (AmqpFixture *self, const AmpsAmqpRole *role)
{
  *self = (AmqpFixture){
    .peer = amqp_peer_new (),
    .settings = { .subject = (char *) "jobs",
                  .worker_id = (char *) "me",
                  .dead_letter_queue = (char *) "jobs.dead",
                  .quorum = TRUE,
                  .max_body_size = AMQP_FIXTURE_BUDGET,
                  .max_kept_size = AMQP_FIXTURE_BUDGET,
                  .budget = amps_byte_budget_new (AMQP_FIXTURE_BUDGET) },
    .events = g_ptr_array_new_with_free_func (amps_amqp_event_free),
  };
  self->mailbox = amps_mailbox_new ("events", NULL, on_event, amps_amqp_event_free, self);
  amps_amqp_hang_guard_init (&self->guard);
  self->connection = amps_amqp_connection_new (role, &self->settings, self->mailbox);
}

char *
amqp_fixture_end (AmqpFixture *self)
{
  return amps_amqp_connection_free (g_steal_pointer (&self->connection), &self->guard);
}

void
amqp_fixture_clear (AmqpFixture *self)
{
  if (self->connection != NULL)
    g_assert_null (amqp_fixture_end (self));
  amps_mailbox_free (self->mailbox);
  g_ptr_array_unref (self->events);
  amqp_peer_free (self->peer);
  g_assert_cmpuint (amps_byte_budget_get_held (self->settings.budget), ==, 0);
  amps_byte_budget_unref (self->settings.budget);
}

void
amqp_fixture_open (AmqpFixture *self)
{
  g_autofree char *uri = amqp_peer_dup_uri (self->peer);

  g_assert_true (amps_amqp_connection_open (self->connection, uri, &self->guard));
  amps_amqp_connection_start (self->connection);
  amqp_fixture_read_event (self, AMPS_AMQP_EVENT_OPENED);
}

static void
read_once (AmqpFixture *self, gint64 end)
{
  g_assert_cmpint (g_get_monotonic_time (), <, end);
  if (amps_amqp_connection_is_running (self->connection))
    amps_amqp_connection_read (self->connection);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_usleep (200);
}

const AmpsAmqpEvent *
amqp_fixture_read_event (AmqpFixture *self, AmpsAmqpEventKind kind)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  unsigned int n_events = self->events->len;
  const AmpsAmqpEvent *event;

  while (self->events->len == n_events)
    read_once (self, end);

  event = g_ptr_array_index (self->events, n_events);
  g_assert_cmpint (event->kind, ==, kind);
  return event;
}

void
amqp_fixture_assert_fails (AmqpFixture *self, const char *text)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  g_autofree char *failure = NULL;

  while (amps_amqp_connection_is_running (self->connection))
    read_once (self, end);

  failure = amqp_fixture_end (self);
  g_assert_nonnull (failure);
  if (strstr (failure, text) == NULL)
    g_error ("“%s” does not say “%s”", failure, text);
}
