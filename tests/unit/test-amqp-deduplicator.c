/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-deduplicator.h"
#include "fixture-tests.h"

#include "broker/amqp/amps-amqp-library.h"
#include "fake-clock.h"

typedef struct {
  AmpsClock *clock;
  AmpsAmqpDeduplicator *deduplicator;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->deduplicator = amps_amqp_deduplicator_new (f->clock);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_deduplicator_free (f->deduplicator);
  g_object_unref (f->clock);
}

/* A delivery of a copy of that number. */
static AmpsDelivery *
make_copy (Fixture *f, guint64 number, gboolean redelivered)
{
  g_autofree char *name = amps_amqp_deduplicator_make_name (f->deduplicator, number);
  amqp_table_entry_t header = {
    .key = amqp_cstring_bytes ("x-amps-copy"),
    .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes (name) },
  };
  amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_HEADERS_FLAG,
                                         .headers = { 1, &header } };
  AmpsDelivery *delivery = amps_delivery_new (g_bytes_new_static ("{}", 2));
  guint8 buffer[256];
  amqp_bytes_t encoded = { sizeof buffer, buffer };
  int length = amqp_encode_properties (AMQP_BASIC_CLASS, &properties, encoded);

  g_assert_cmpint (length, >, 0);
  delivery->properties = g_bytes_new (buffer, (gsize) length);
  delivery->copy = 1;
  delivery->redelivered = redelivered;
  return delivery;
}

static gboolean
meet (Fixture *f, guint64 number, gboolean redelivered)
{
  g_autoptr (AmpsDelivery) delivery = make_copy (f, number, redelivered);

  return amps_amqp_deduplicator_meet (f->deduplicator, delivery);
}

static void
test_second_one (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  g_assert_false (meet (f, 1, FALSE));
  g_assert_true (meet (f, 1, FALSE));
  g_assert_true (meet (f, 1, FALSE));
}

/* The first one was handed to another AMPS, which is gone. */
static void
test_first_one_was_handed_out (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  g_assert_false (meet (f, 1, TRUE));
  g_assert_true (meet (f, 1, FALSE));
  g_assert_false (meet (f, 1, TRUE));
}

/* What can't be dropped here says that there may be two. */
static void
test_repeated (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) first = make_copy (f, 1, FALSE);
  g_autoptr (AmpsDelivery) again = make_copy (f, 1, TRUE);
  g_autoptr (AmpsDelivery) other = make_copy (f, 2, TRUE);

  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, first));
  g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, again));
  g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, other));
  g_assert_true (first->repeated && again->repeated && !other->repeated);
}

static void
test_what_must_run (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) other = amps_delivery_new (g_bytes_new_static ("{}", 2));

  /* None is expected. */
  g_assert_false (meet (f, 1, FALSE));
  g_assert_false (meet (f, 1, FALSE));

  /* What was handed out before may be the first one, again. */
  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  g_assert_false (meet (f, 1, TRUE));
  g_assert_false (meet (f, 1, TRUE));

  /* Another one, or no copy at all. */
  g_assert_false (meet (f, 2, FALSE));
  g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, other));
}

static void
test_replays (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) rejected = make_copy (f, 1, FALSE);

  /* Somebody may send it again from the dead letters of the queue. */
  amps_amqp_deduplicator_expect (f->deduplicator, 1, 0);
  g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, rejected));
  amps_amqp_deduplicator_forget (f->deduplicator, rejected);
  g_assert_false (meet (f, 1, FALSE));

  /* Or from those of AMPS, and as often as they like. */
  amps_amqp_deduplicator_expect (f->deduplicator, 3, 0);
  for (unsigned int i = 0; i < 2; i++)
    {
      g_autoptr (AmpsDelivery) dead_letter = make_copy (f, 3, FALSE);

      dead_letter->copy = 0;
      g_assert_false (amps_amqp_deduplicator_meet (f->deduplicator, dead_letter));
    }

  /* Or much later. */
  amps_amqp_deduplicator_expect (f->deduplicator, 2, AMPS_SECONDS (30));
  g_assert_false (meet (f, 2, FALSE));
  fake_clock_advance (f->clock, AMPS_SECONDS (629));
  g_assert_true (meet (f, 2, FALSE));
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  g_assert_false (meet (f, 2, FALSE));
}

FIXTURE_TESTS = {
  { "/amqp-deduplicator/second-one", test_second_one },
  { "/amqp-deduplicator/first-one-was-handed-out", test_first_one_was_handed_out },
  { "/amqp-deduplicator/repeated", test_repeated },
  { "/amqp-deduplicator/what-must-run", test_what_must_run },
  { "/amqp-deduplicator/replays", test_replays },
};

FIXTURE_TESTS_MAIN
