/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "main-loop.h"
#include "server-fixture.h"

#include <string.h>

/* Dead letters that end when the test says so. */

#define TYPE_HELD_LETTERS (held_letters_get_type ())
G_DECLARE_FINAL_TYPE (HeldLetters, held_letters, HELD, LETTERS, AmpsDeadLetters)

struct _HeldLetters {
  AmpsDeadLetters parent_instance;
};

G_DEFINE_FINAL_TYPE (HeldLetters, held_letters, AMPS_TYPE_DEAD_LETTERS)

static AmpsDeadLetters *held; /* (nullable) those of the request that is under way */

static void
held_letters_run (AmpsDeadLetters *letters)
{
  held = letters;
}

static void
held_letters_class_init (HeldLettersClass *klass)
{
  AMPS_DEAD_LETTERS_CLASS (klass)->run = held_letters_run;
}

static void
held_letters_init (HeldLetters *self G_GNUC_UNUSED)
{
}

static AmpsDeadLetters *
create (gpointer user_data, GError **error)
{
  if (user_data == NULL)
    return g_object_new (TYPE_HELD_LETTERS, NULL);

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, user_data);
  return NULL;
}

static void
end (GError *error)
{
  AmpsDeadLetters *letters = g_steal_pointer (&held);

  amps_dead_letters_end (letters, error);
}

static void
tell (const char *id, const char *detail, const GError *error)
{
  g_autoptr (AmpsDeadLetter) letter = amps_dead_letter_new ();

  letter->id = g_strdup (id);
  letter->detail = g_strdup (detail);
  letter->reason = g_strdup ("rejected");
  letter->attempt = 3;
  letter->time = 1767225600123456;
  letter->size = 42;
  amps_dead_letters_tell (held, letter, error);
}

static GSocket *
begin (ServerFixture *f, const char *method, const char *target, const char *body)
{
  g_autofree char *request =
      g_strdup_printf ("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       method, target, strlen (body), body);
  GSocket *socket = raw_connect (f->port);

  amps_server_offer_dead_letters (f->server, create, NULL);
  raw_send (socket, request, strlen (request));
  while (held == NULL)
    g_main_context_iteration (NULL, TRUE);
  return socket;
}

static void
assert_answer (GSocket *socket, unsigned int status, const char *body)
{
  g_autofree char *answer = raw_receive (socket, NULL);
  g_autofree char *start = g_strdup_printf ("HTTP/1.1 %u ", status);

  g_assert_true (g_str_has_prefix (answer, start));
  assert_contains (answer, body);
}

static void
test_list (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = begin (f, "GET", "/dead-letters?limit=7", "");
  const AmpsDeadLettersRequest *request = amps_dead_letters_get_request (held);

  g_assert_cmpint (request->action, ==, AMPS_DEAD_LETTERS_LIST);
  g_assert_cmpuint (request->filter->limit, ==, 7);
  g_assert_true (amps_dead_letter_filter_takes_all (request->filter));
  amps_dead_letters_begin (held, 9);
  tell ("a", "why\n", NULL);
  tell (NULL, NULL, NULL);
  tell ("\xff", NULL, NULL);
  end (NULL);
  assert_answer (socket, 200,
                 "{\"count\":9,\"letters\":["
                 "{\"id\":\"a\",\"reason\":\"rejected\",\"detail\":\"why\\n\",\"attempt\":3,"
                 "\"time\":\"2026-01-01T00:00:00.123Z\",\"size\":42},"
                 "{\"reason\":\"rejected\",\"attempt\":3,"
                 "\"time\":\"2026-01-01T00:00:00.123Z\",\"size\":42},"
                 "{\"id\":\"\xef\xbf\xbd\",\"reason\":");
}

static void
test_no_queue (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = begin (f, "GET", "/dead-letters", "");

  g_assert_cmpuint (amps_dead_letters_get_request (held)->filter->limit, ==, 100);
  end (g_error_new_literal (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "no such queue"));
  assert_answer (socket, 200, "{\"count\":0,\"letters\":[]}");
}

static void
test_redrive (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "gone");
  g_autoptr (GSocket) one = begin (f, "POST", "/dead-letters/redrive", "{\"identifier\":\"a\"}");
  g_autoptr (GSocket) some = NULL;
  g_autoptr (GSocket) all = NULL;
  const AmpsDeadLettersRequest *request = amps_dead_letters_get_request (held);

  g_assert_cmpint (request->action, ==, AMPS_DEAD_LETTERS_REDRIVE);
  g_assert_cmpstr (request->filter->ids[0], ==, "a");
  g_assert_null (request->filter->ids[1]);
  tell ("a", NULL, NULL);
  end (NULL);
  assert_answer (one, 200, "{\"redriven\":1,\"failed\":0}");

  some = begin (f, "POST", "/dead-letters/redrive", "{\"identifiers\":[\"a\",\"b\"]}");
  g_assert_cmpstr (amps_dead_letters_get_request (held)->filter->ids[1], ==, "b");
  tell ("a", NULL, problem);
  end (NULL);
  assert_answer (some, 200, "{\"redriven\":0,\"failed\":1}");

  all = begin (f, "POST", "/dead-letters/redrive", "{\"all\":true}");
  g_assert_true (amps_dead_letter_filter_takes_all (amps_dead_letters_get_request (held)->filter));
  end (g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the broker is away"));
  assert_answer (all, 503, "the broker is away");
}

/* Nothing is put back by mistake. */
static void
test_wrong (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const bodies[] = {
    "",
    "{}",
    "{\"all\":false}",
    "{\"all\":\"true\"}",
    "{\"all\":true",
    "{\"all\":true}x",
    "{\"all\":true,\"identifier\":\"a\"}",
    "{\"all\":true,\"identifiers\":[]}",
    "{\"identifiers\":[]}",
    "{\"identifier\":\"\"}",
  };
  static const char *const paths[] = { "/dead-letters?limit=0", "/dead-letters?limit=1001",
                                       "/dead-letters?limit=x" };

  amps_server_offer_dead_letters (f->server, create, NULL);
  for (unsigned int i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (HttpAnswer) answer = server_post (f, "/dead-letters/redrive", bodies[i]);

      g_test_message ("%s", bodies[i]);
      assert_problem (answer, 400, "");
    }
  for (unsigned int i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (HttpAnswer) answer = server_call (f, "GET", paths[i], NULL);

      assert_problem (answer, 400, "from 1 to 1000");
    }
  g_assert_null (held);
}

static void
test_one_at_a_time (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) first = begin (f, "GET", "/dead-letters", "");
  g_autoptr (HttpAnswer) second = server_call (f, "GET", "/dead-letters", NULL);
  g_autoptr (GSocket) third = NULL;

  assert_problem (second, 503, "another call");
  end (NULL);
  assert_answer (first, 200, "\"count\":0");
  third = begin (f, "GET", "/dead-letters", "");
  end (NULL);
  assert_answer (third, 200, "\"count\":0");
}

static void
test_none_to_be_had (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static char why[] = "DEAD_LETTER_MODE=broker";
  g_autoptr (HttpAnswer) answer = NULL;

  amps_server_offer_dead_letters (f->server, create, why);
  answer = server_call (f, "GET", "/dead-letters", NULL);
  assert_problem (answer, 400, why);
}

/* What has begun goes on. */
static void
test_client_that_goes (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = begin (f, "POST", "/dead-letters/redrive", "{\"all\":true}");
  g_autoptr (HttpAnswer) next = NULL;

  g_socket_close (socket, NULL);
  iterate_until_idle ();
  tell ("a", NULL, NULL);
  end (NULL);
  next = server_call (f, "GET", "/healthz", NULL);
  assert_json (next, 200);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/server-dead-letters/" name, ServerFixture, NULL, server_set_up, function,          \
              server_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("list", test_list);
  ADD ("no-queue", test_no_queue);
  ADD ("redrive", test_redrive);
  ADD ("wrong", test_wrong);
  ADD ("one-at-a-time", test_one_at_a_time);
  ADD ("none-to-be-had", test_none_to_be_had);
  ADD ("client-that-goes", test_client_that_goes);
  return g_test_run ();
}
