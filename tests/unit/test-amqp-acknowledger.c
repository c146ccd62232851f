/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-acknowledger.h"

#include <string.h>

/* In the order of AmpsSettlementKind; an acknowledgement is just its number. */
static const char *const suffixes[] = { "", "released", "returned", "retried", "dead" };

static gboolean
record (guint64 tag, AmpsSettlementKind kind, gboolean multiple, gpointer user_data)
{
  g_string_append_printf (user_data, "%" G_GUINT64_FORMAT "%s%s ", tag, suffixes[kind],
                          multiple ? "+" : "");
  return TRUE;
}

static void
assert_sent (AmpsAmqpAcknowledger *acknowledger, const char *expected)
{
  g_autoptr (GString) sent = g_string_new (NULL);

  g_assert_true (amps_amqp_acknowledger_flush (acknowledger, record, sent));
  g_assert_cmpstr (sent->str, ==, expected);
}

static void
deliver (AmpsAmqpAcknowledger *acknowledger, guint64 first, guint64 last)
{
  for (guint64 tag = first; tag <= last; tag++)
    g_assert_true (amps_amqp_acknowledger_add_delivery (acknowledger, tag));
}

static void
test_batches (void)
{
  g_autoptr (AmpsAmqpAcknowledger) acknowledger = amps_amqp_acknowledger_new ();

  deliver (acknowledger, 1, 8);
  assert_sent (acknowledger, "");

  amps_amqp_acknowledger_settle (acknowledger, 1, AMPS_SETTLE_ACKNOWLEDGE);
  assert_sent (acknowledger, "1 ");

  /* 2 is still out, so nothing may speak for it. */
  amps_amqp_acknowledger_settle (acknowledger, 4, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_acknowledger_settle (acknowledger, 3, AMPS_SETTLE_ACKNOWLEDGE);
  assert_sent (acknowledger, "4 3 ");

  /* What was rejected is no hindrance. */
  amps_amqp_acknowledger_settle (acknowledger, 2, AMPS_SETTLE_REQUEUE);
  amps_amqp_acknowledger_settle (acknowledger, 6, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_acknowledger_settle (acknowledger, 5, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_acknowledger_settle (acknowledger, 8, AMPS_SETTLE_ACKNOWLEDGE);
  assert_sent (acknowledger, "2released 8 6+ ");

  amps_amqp_acknowledger_settle (acknowledger, 7, AMPS_SETTLE_DEAD_LETTER);
  assert_sent (acknowledger, "7dead ");
}

typedef struct {
  GString *sent;
  unsigned int room; /* for so many methods */
} Peer;

static gboolean
record_while_there_is_room (guint64 tag, AmpsSettlementKind kind, gboolean multiple,
                            gpointer user_data)
{
  Peer *peer = user_data;

  if (peer->room == 0)
    return FALSE;

  peer->room--;
  return record (tag, kind, multiple, peer->sent);
}

/* Nothing is forgotten, and no acknowledgement speaks for what was not told yet. */
static void
test_no_room (void)
{
  g_autoptr (AmpsAmqpAcknowledger) acknowledger = amps_amqp_acknowledger_new ();
  g_autoptr (GString) sent = g_string_new (NULL);
  Peer peer = { sent, 0 };
  unsigned int n_tries = 0;

  deliver (acknowledger, 1, 7);
  amps_amqp_acknowledger_settle (acknowledger, 3, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_acknowledger_settle (acknowledger, 2, AMPS_SETTLE_DEAD_LETTER);
  amps_amqp_acknowledger_settle (acknowledger, 1, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_acknowledger_settle (acknowledger, 4, AMPS_SETTLE_REQUEUE_FAILED);
  amps_amqp_acknowledger_settle (acknowledger, 6, AMPS_SETTLE_ACKNOWLEDGE);

  while (!amps_amqp_acknowledger_flush (acknowledger, record_while_there_is_room, &peer))
    {
      peer.room = 1;
      n_tries++;
    }
  g_assert_cmpstr (sent->str, ==, "2dead 4returned 6 3+ ");
  g_assert_cmpuint (n_tries, ==, 4);

  amps_amqp_acknowledger_settle (acknowledger, 5, AMPS_SETTLE_ACKNOWLEDGE);
  assert_sent (acknowledger, "5 ");
}

static void
test_twice (void)
{
  g_autoptr (AmpsAmqpAcknowledger) acknowledger = amps_amqp_acknowledger_new ();

  deliver (acknowledger, 1, 2);
  g_assert_true (amps_amqp_acknowledger_settle (acknowledger, 2, AMPS_SETTLE_ACKNOWLEDGE));
  g_assert_false (amps_amqp_acknowledger_settle (acknowledger, 2, AMPS_SETTLE_ACKNOWLEDGE));
  g_assert_false (amps_amqp_acknowledger_settle (acknowledger, 3, AMPS_SETTLE_ACKNOWLEDGE));
  g_assert_false (amps_amqp_acknowledger_settle (acknowledger, 0, AMPS_SETTLE_ACKNOWLEDGE));
  assert_sent (acknowledger, "2 ");
}

/* 0, one that was there before, a gap, and tags that can't be counted up to. */
static void
test_out_of_turn (void)
{
  static const guint64 tags[] = { 0, 1, 2, 3, 5, 4 + (G_GUINT64_CONSTANT (1) << 32), G_MAXUINT64 };
  g_autoptr (AmpsAmqpAcknowledger) acknowledger = amps_amqp_acknowledger_new ();

  g_assert_false (amps_amqp_acknowledger_add_delivery (acknowledger, 0));
  g_assert_false (amps_amqp_acknowledger_add_delivery (acknowledger, 2));
  deliver (acknowledger, 1, 3);
  amps_amqp_acknowledger_settle (acknowledger, 2, AMPS_SETTLE_ACKNOWLEDGE);
  for (unsigned int i = 0; i < G_N_ELEMENTS (tags); i++)
    g_assert_false (amps_amqp_acknowledger_add_delivery (acknowledger, tags[i]));
  assert_sent (acknowledger, "2 ");
  deliver (acknowledger, 4, 4);
}

/* What the broker would make of it, over many deliveries. */
static gboolean
apply (guint64 tag, AmpsSettlementKind kind G_GNUC_UNUSED, gboolean multiple, gpointer user_data)
{
  GHashTable *unsettled = user_data;
  GHashTableIter iter;
  gpointer key;

  if (g_test_rand_int_range (0, 8) == 0)
    return FALSE;
  if (!multiple)
    return g_hash_table_remove (unsettled, GSIZE_TO_POINTER (tag));

  g_hash_table_iter_init (&iter, unsettled);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      if (GPOINTER_TO_SIZE (key) <= tag)
        g_hash_table_iter_remove (&iter);
    }
  return TRUE;
}

static void
test_random (void)
{
  g_autoptr (AmpsAmqpAcknowledger) acknowledger = amps_amqp_acknowledger_new ();
  g_autoptr (GHashTable) unsettled = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) expected = g_hash_table_new (NULL, NULL);
  guint64 last = 0;

  for (int i = 0; i < 20000; i++)
    {
      guint64 tag = (guint64) g_test_rand_int_range (1, (gint32) last + 2);

      if (g_test_rand_bit () && last < 5000)
        {
          deliver (acknowledger, last + 1, last + 1);
          last++;
          g_hash_table_add (unsettled, GSIZE_TO_POINTER (last));
          g_hash_table_add (expected, GSIZE_TO_POINTER (last));
        }
      else if (amps_amqp_acknowledger_settle (acknowledger, tag, AMPS_SETTLE_ACKNOWLEDGE))
        {
          g_assert_true (g_hash_table_remove (expected, GSIZE_TO_POINTER (tag)));
        }

      if (i % 7 == 0 && amps_amqp_acknowledger_flush (acknowledger, apply, unsettled))
        {
          g_assert_cmpuint (g_hash_table_size (unsettled), ==, g_hash_table_size (expected));
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-acknowledger/batches", test_batches);
  g_test_add_func ("/amqp-acknowledger/no-room", test_no_room);
  g_test_add_func ("/amqp-acknowledger/twice", test_twice);
  g_test_add_func ("/amqp-acknowledger/out-of-turn", test_out_of_turn);
  g_test_add_func ("/amqp-acknowledger/random", test_random);
  return g_test_run ();
}
