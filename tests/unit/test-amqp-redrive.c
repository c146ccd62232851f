/* SPDX-License-Identifier: MIT */
#include "amqp-message.h"
#include "broker/amqp/amps-amqp-redrive.h"
#include "broker/amqp/amps-amqp-table.h"

typedef struct {
  GBytes *raw; /* (owned) */
  amqp_pool_t pool;
  amqp_basic_properties_t properties;
} Rebuilt;

static void
rebuild (Rebuilt *self, AmqpMessage *message, gboolean new_life)
{
  self->raw = encode (message);
  init_amqp_pool (&self->pool, 4096);
  g_assert_true (amps_amqp_redrive_build (self->raw, new_life, &self->pool, &self->properties));
}

static void
rebuilt_clear (Rebuilt *self)
{
  empty_amqp_pool (&self->pool);
  g_bytes_unref (self->raw);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rebuilt, rebuilt_clear)

static gboolean
has (const Rebuilt *self, const char *name)
{
  return amps_amqp_table_find (&self->properties.headers, name) != NULL;
}

static void
make_dead_letter (AmqpMessage *message)
{
  static const char *const names[] = { "mine",
                                       "CC",
                                       "BCC",
                                       "x-amps-reason",
                                       "x-amps-queue",
                                       "x-death",
                                       "x-delivery-count",
                                       "x-first-death-queue" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (names); i++)
    add_text (message, names[i], "v");
  message->properties._flags |= AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
  message->properties.expiration = amqp_cstring_bytes ("1000");
  message->properties.content_type = amqp_cstring_bytes ("text/plain");
}

/* As it was before it was given up. */
static void
test_new_life (void)
{
  AmqpMessage message = { 0 };
  g_auto (Rebuilt) rebuilt = { 0 };

  make_dead_letter (&message);
  rebuild (&rebuilt, &message, TRUE);

  g_assert_true (has (&rebuilt, "mine"));
  g_assert_cmpint (rebuilt.properties.headers.num_entries, ==, 1);
  g_assert_cmpuint (rebuilt.properties.delivery_mode, ==, 2);
  g_assert_true (rebuilt.properties._flags & AMQP_BASIC_CONTENT_TYPE_FLAG);
  g_assert_true (rebuilt.properties._flags & AMQP_BASIC_DELIVERY_MODE_FLAG);
  g_assert_false (rebuilt.properties._flags & AMQP_BASIC_EXPIRATION_FLAG);
}

/* It stays a dead letter, but for what the broker would misread. */
static void
test_same_life (void)
{
  AmqpMessage message = { 0 };
  g_auto (Rebuilt) rebuilt = { 0 };

  make_dead_letter (&message);
  rebuild (&rebuilt, &message, FALSE);

  g_assert_true (has (&rebuilt, "x-amps-reason") && has (&rebuilt, "x-death"));
  g_assert_false (has (&rebuilt, "CC") || has (&rebuilt, "BCC"));
  g_assert_false (has (&rebuilt, "x-delivery-count"));
  g_assert_true (rebuilt.properties._flags & AMQP_BASIC_EXPIRATION_FLAG);
}

/* It would close the channel. What AMPS has noted stays as long as the broker says nothing. */
static void
test_user_id (void)
{
  AmqpMessage moved = { 0 };
  AmqpMessage copied = { 0 };
  g_auto (Rebuilt) of_moved = { 0 };
  g_auto (Rebuilt) of_copied = { 0 };
  g_autofree char *user = NULL;

  moved.properties._flags |= AMQP_BASIC_USER_ID_FLAG;
  moved.properties.user_id = amqp_cstring_bytes ("alice");
  add_text (&moved, "x-amps-user-id", "mallory");
  rebuild (&of_moved, &moved, TRUE);
  user = amps_amqp_table_dup_text (&of_moved.properties.headers, "x-amps-user-id");
  g_assert_cmpstr (user, ==, "alice");
  g_assert_cmpint (of_moved.properties.headers.num_entries, ==, 1);
  g_assert_false (of_moved.properties._flags & AMQP_BASIC_USER_ID_FLAG);

  add_text (&copied, "x-amps-user-id", "alice");
  rebuild (&of_copied, &copied, TRUE);
  g_assert_true (has (&of_copied, "x-amps-user-id"));
}

static void
test_unreadable (void)
{
  g_autoptr (GBytes) raw = g_bytes_new_static ("\xff\xff\xff", 3);
  amqp_basic_properties_t properties;
  amqp_pool_t pool;

  init_amqp_pool (&pool, 4096);
  g_assert_false (amps_amqp_redrive_build (raw, TRUE, &pool, &properties));
  empty_amqp_pool (&pool);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-redrive/new-life", test_new_life);
  g_test_add_func ("/amqp-redrive/same-life", test_same_life);
  g_test_add_func ("/amqp-redrive/user-id", test_user_id);
  g_test_add_func ("/amqp-redrive/unreadable", test_unreadable);
  return g_test_run ();
}
