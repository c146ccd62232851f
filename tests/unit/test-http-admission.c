/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "server/amps-http-admission.h"

/* So 4 for local peers only, and 8 for each peer elsewhere. */
#define MAX_CONNECTIONS 32
#define NOW AMPS_SECONDS (100)

typedef struct {
  AmpsHttpStanding others[2 * MAX_CONNECTIONS];
  unsigned int count;
  const AmpsHttpStanding *other; /* which goes */
} Fixture;

static AmpsHttpStanding *
add (Fixture *fixture, guint64 network, AmpsHttpStage stage, gint64 age)
{
  AmpsHttpStanding *other = &fixture->others[fixture->count++];

  g_assert_cmpuint (fixture->count, <=, G_N_ELEMENTS (fixture->others));
  *other = (AmpsHttpStanding){ network == 0, network, stage, NOW - age, NOW - age };
  return other;
}

static void
add_many (Fixture *fixture, unsigned int n, guint64 network, AmpsHttpStage stage)
{
  for (unsigned int i = 0; i < n; i++)
    add (fixture, network, stage, i);
}

/* @network: 0 for a local peer */
static AmpsHttpDecision
decide (Fixture *fixture, guint64 network)
{
  AmpsHttpStanding newcomer = { network == 0, network, AMPS_HTTP_STAGE_HEAD, NOW, NOW };
  AmpsHttpAdmission admission;

  amps_http_admission_init (&admission, &newcomer, NOW);
  for (unsigned int i = 0; i < fixture->count; i++)
    amps_http_admission_add (&admission, &fixture->others[i]);
  return amps_http_admission_decide (&admission, MAX_CONNECTIONS, &fixture->other);
}

static void
assert_replaces (Fixture *fixture, guint64 network, const AmpsHttpStanding *other)
{
  g_assert_cmpint (decide (fixture, network), ==, AMPS_HTTP_REPLACE);
  g_assert_true (fixture->other == other);
}

static void
test_room (void)
{
  Fixture fixture = { 0 };

  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_ADMIT);
  g_assert_cmpint (decide (&fixture, 1), ==, AMPS_HTTP_ADMIT);
  add_many (&fixture, MAX_CONNECTIONS - 1, 0, AMPS_HTTP_STAGE_HEAD);
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_ADMIT);
  g_assert_cmpint (decide (&fixture, 1), ==, AMPS_HTTP_ADMIT);
  g_assert_null (fixture.other);
  add_many (&fixture, MAX_CONNECTIONS, 1, AMPS_HTTP_STAGE_ENDED);
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_ADMIT);
  g_assert_cmpint (decide (&fixture, 1), ==, AMPS_HTTP_ADMIT);
}

/* The longest in its head goes, after those that are idle. */
static void
test_order (void)
{
  static const AmpsHttpStage order[] = { AMPS_HTTP_STAGE_CLOSING, AMPS_HTTP_STAGE_IDLE,
                                         AMPS_HTTP_STAGE_HEAD, AMPS_HTTP_STAGE_BODY,
                                         AMPS_HTTP_STAGE_ANSWER };
  Fixture fixture = { 0 };
  const AmpsHttpStanding *expected[3 * G_N_ELEMENTS (order)];
  unsigned int n = 0;

  for (size_t i = 0; i < G_N_ELEMENTS (order); i++)
    for (unsigned int age = 3; age > 0; age--)
      expected[n++] = add (&fixture, 1 + age, order[i], AMPS_SECONDS (age));
  add_many (&fixture, MAX_CONNECTIONS - n, 0, AMPS_HTTP_STAGE_WAITING);

  for (unsigned int i = 0; i < n; i++)
    {
      assert_replaces (&fixture, 0, expected[i]);
      /* Another has come in its place. */
      fixture.others[i].stage = AMPS_HTTP_STAGE_WAITING;
    }
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_REFUSE);
}

/* A local peer is interrupted in nothing but a head that does not come. */
static void
test_local_peers (void)
{
  Fixture fixture = { 0 };
  AmpsHttpStanding *idle, *slow, *remote;

  idle = add (&fixture, 0, AMPS_HTTP_STAGE_IDLE, 0);
  slow = add (&fixture, 0, AMPS_HTTP_STAGE_HEAD, AMPS_SECONDS (1));
  remote = add (&fixture, 1, AMPS_HTTP_STAGE_ANSWER, 0);
  add (&fixture, 0, AMPS_HTTP_STAGE_HEAD, AMPS_SECONDS (1) - 1);
  add (&fixture, 0, AMPS_HTTP_STAGE_BODY, AMPS_SECONDS (20));
  add_many (&fixture, MAX_CONNECTIONS - 5, 0, AMPS_HTTP_STAGE_ANSWER);

  assert_replaces (&fixture, 0, remote);
  assert_replaces (&fixture, 2, remote);
  remote->stage = AMPS_HTTP_STAGE_WAITING;
  assert_replaces (&fixture, 0, idle);
  assert_replaces (&fixture, 2, idle);
  idle->stage = AMPS_HTTP_STAGE_BODY;
  assert_replaces (&fixture, 0, slow);
  slow->stage = AMPS_HTTP_STAGE_BODY;
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_REFUSE);
}

/* Others can't take the places that are kept for local peers, nor push them out. */
static void
test_local_share (void)
{
  Fixture fixture = { 0 };
  AmpsHttpStanding *oldest;

  add_many (&fixture, 4, 0, AMPS_HTTP_STAGE_IDLE);
  oldest = add (&fixture, 9, AMPS_HTTP_STAGE_HEAD, AMPS_SECONDS (4));
  for (guint64 network = 1; network <= 9; network++)
    add_many (&fixture, 3, network, AMPS_HTTP_STAGE_HEAD);
  g_assert_cmpuint (fixture.count, ==, MAX_CONNECTIONS);
  assert_replaces (&fixture, 20, oldest);
  assert_replaces (&fixture, 0, oldest);

  fixture.others[0].stage = AMPS_HTTP_STAGE_ENDED;
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_ADMIT);
  assert_replaces (&fixture, 20, oldest);

  for (unsigned int i = 4; i < MAX_CONNECTIONS; i++)
    fixture.others[i].stage = AMPS_HTTP_STAGE_WAITING;
  g_assert_cmpint (decide (&fixture, 20), ==, AMPS_HTTP_REFUSE);
}

static void
test_network_share (void)
{
  Fixture fixture = { 0 };
  AmpsHttpStanding *oldest = add (&fixture, 1, AMPS_HTTP_STAGE_BODY, AMPS_SECONDS (9));

  add_many (&fixture, 6, 1, AMPS_HTTP_STAGE_WAITING);
  add_many (&fixture, 3, 2, AMPS_HTTP_STAGE_IDLE);
  g_assert_cmpint (decide (&fixture, 1), ==, AMPS_HTTP_ADMIT);
  add_many (&fixture, 1, 1, AMPS_HTTP_STAGE_WAITING);
  assert_replaces (&fixture, 1, oldest);
  g_assert_cmpint (decide (&fixture, 2), ==, AMPS_HTTP_ADMIT);
  g_assert_cmpint (decide (&fixture, 0), ==, AMPS_HTTP_ADMIT);

  oldest->stage = AMPS_HTTP_STAGE_WAITING;
  g_assert_cmpint (decide (&fixture, 1), ==, AMPS_HTTP_REFUSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-admission/room", test_room);
  g_test_add_func ("/http-admission/order", test_order);
  g_test_add_func ("/http-admission/local-peers", test_local_peers);
  g_test_add_func ("/http-admission/local-share", test_local_share);
  g_test_add_func ("/http-admission/network-share", test_network_share);
  return g_test_run ();
}
