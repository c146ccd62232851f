/* SPDX-License-Identifier: MIT */
#include "server/amps-http-body.h"

#include <string.h>

#define KIB 1024

typedef struct {
  AmpsByteBudget *budget;
  SoupServerMessage *message;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->budget = amps_byte_budget_new (1000 * KIB);
  fixture->message = g_object_new (SOUP_TYPE_SERVER_MESSAGE, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_object (&fixture->message);
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 0);
  amps_byte_budget_unref (fixture->budget);
}

static gboolean
append (Fixture *fixture, char c, gsize size)
{
  g_autofree char *text = g_strnfill (size, c);
  g_autoptr (GBytes) chunk = g_bytes_new (text, size);

  return amps_http_body_append (fixture->message, chunk);
}

static void
test_grows (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  amps_http_body_collect (fixture->message, fixture->budget, 500 * KIB);
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 0);
  g_assert_true (append (fixture, 'a', 60 * KIB));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 0);
  g_assert_true (append (fixture, 'b', 100 * KIB));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), <=, 2 * 160 * KIB);
  g_assert_true (append (fixture, 'c', 340 * KIB));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, (500 - 64) * KIB);

  g_autoptr (GBytes) body = amps_http_body_take (fixture->message);
  gsize size;
  const char *text = g_bytes_get_data (body, &size);

  g_assert_cmpuint (size, ==, 500 * KIB);
  g_assert_cmpint (text[60 * KIB - 1], ==, 'a');
  g_assert_cmpint (text[60 * KIB], ==, 'b');
  g_assert_cmpint (text[size - 1], ==, 'c');
}

/* All of the budget can be used, but no more. */
static void
test_budget (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupServerMessage) first = g_steal_pointer (&fixture->message);

  fixture->message = g_object_new (SOUP_TYPE_SERVER_MESSAGE, NULL);
  amps_http_body_collect (fixture->message, fixture->budget, 0);
  for (int i = 0; i < 1064; i++)
    g_assert_true (append (fixture, 'x', KIB));
  g_assert_false (append (fixture, 'x', 1));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 1000 * KIB);

  g_set_object (&fixture->message, first);
  amps_http_body_collect (first, fixture->budget, 0);
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 0);
  g_assert_true (append (fixture, 'x', 1064 * KIB));
}

/* Acknowledgements come in chunks, too. */
static void
test_small (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (amps_byte_budget_take (fixture->budget, 1000 * KIB));
  g_assert_false (amps_byte_budget_take (fixture->budget, 1));
  amps_http_body_collect (fixture->message, fixture->budget, 0);
  g_assert_true (append (fixture, 'x', 64 * KIB));
  g_assert_false (append (fixture, 'x', 1));
  amps_byte_budget_give_back (fixture->budget, 1000 * KIB);
}

/* What waits for the broker counts, and what was unpacked. */
static void
test_taken (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = NULL;

  amps_http_body_collect (fixture->message, fixture->budget, 0);
  g_assert_true (append (fixture, 'x', 500 * KIB));
  body = amps_http_body_take (fixture->message);
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), >=, (500 - 64) * KIB);
  g_assert_false (amps_http_body_charge (fixture->message, fixture->budget, 1000 * KIB));
  g_assert_true (amps_http_body_charge (fixture->message, fixture->budget, 264 * KIB));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), >=, (500 - 64 + 200) * KIB);
  g_clear_object (&fixture->message);
  g_assert_cmpuint (g_bytes_get_size (body), ==, 500 * KIB);
}

static void
test_small_unpacked (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  /* Of another request. */
  g_assert_true (amps_byte_budget_take (fixture->budget, 300 * KIB));
  g_assert_false (amps_http_body_charge (fixture->message, fixture->budget, 765 * KIB));
  g_assert_true (amps_http_body_charge (fixture->message, fixture->budget, 764 * KIB));
  g_assert_cmpuint (amps_byte_budget_get_held (fixture->budget), ==, 1000 * KIB);
  amps_byte_budget_give_back (fixture->budget, 300 * KIB);
}

static void
test_not_kept (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = NULL;

  soup_message_body_set_accumulate (soup_server_message_get_request_body (fixture->message), FALSE);
  body = amps_http_body_take (fixture->message);
  g_assert_cmpuint (g_bytes_get_size (body), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/http-body/grows", Fixture, NULL, set_up, test_grows, tear_down);
  g_test_add ("/http-body/budget", Fixture, NULL, set_up, test_budget, tear_down);
  g_test_add ("/http-body/small", Fixture, NULL, set_up, test_small, tear_down);
  g_test_add ("/http-body/taken", Fixture, NULL, set_up, test_taken, tear_down);
  g_test_add ("/http-body/small-unpacked", Fixture, NULL, set_up, test_small_unpacked, tear_down);
  g_test_add ("/http-body/not-kept", Fixture, NULL, set_up, test_not_kept, tear_down);
  return g_test_run ();
}
