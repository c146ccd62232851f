/* SPDX-License-Identifier: MIT */
#include "base/amps-mailbox.h"

/* Run under ThreadSanitizer too: `meson setup -Db_sanitize=thread`. */

#define N_SENDERS 4
#define N_LETTERS 20000

typedef struct {
  AmpsMail mail;
  int sender;
  int number;
  char *text;
} Letter;

typedef struct {
  AmpsMailbox *mailbox;
  int next[N_SENDERS];
  int received;
} Fixture;

static void
letter_free (gpointer data)
{
  g_free (((Letter *) data)->text);
  g_free (data);
}

static void
receive (AmpsMail *mail, gpointer user_data)
{
  Fixture *fixture = user_data;
  Letter *letter = (Letter *) mail;
  g_autofree char *expected = g_strdup_printf ("%d/%d", letter->sender, letter->number);

  g_assert_cmpint (letter->number, ==, fixture->next[letter->sender]);
  g_assert_cmpstr (letter->text, ==, expected);
  fixture->next[letter->sender]++;
  fixture->received++;
  letter_free (letter);
}

typedef struct {
  AmpsMailbox *mailbox;
  int number;
} Sender;

static gpointer
send_all (gpointer data)
{
  Sender *sender = data;

  for (int i = 0; i < N_LETTERS; i++)
    {
      Letter *letter = g_new0 (Letter, 1);

      letter->sender = sender->number;
      letter->number = i;
      letter->text = g_strdup_printf ("%d/%d", sender->number, i);
      amps_mailbox_send (sender->mailbox, &letter->mail);
    }

  return NULL;
}

static void
test_many_senders (void)
{
  Fixture fixture = { 0 };
  Sender senders[N_SENDERS];
  GThread *threads[N_SENDERS];

  fixture.mailbox = amps_mailbox_new ("test", NULL, receive, letter_free, &fixture);
  for (int i = 0; i < N_SENDERS; i++)
    {
      senders[i] = (Sender){ fixture.mailbox, i };
      threads[i] = g_thread_new ("sender", send_all, &senders[i]);
    }

  while (fixture.received < N_SENDERS * N_LETTERS)
    g_main_context_iteration (NULL, TRUE);
  g_main_context_iteration (NULL, FALSE);
  g_assert_false (g_main_context_pending (NULL));

  for (int i = 0; i < N_SENDERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpint (fixture.next[i], ==, N_LETTERS);
    }
  amps_mailbox_free (fixture.mailbox);
}

static void
test_discard (void)
{
  Fixture fixture = { 0 };
  AmpsMailbox *mailbox = amps_mailbox_new ("test", NULL, receive, letter_free, &fixture);
  Sender sender = { mailbox, 0 };

  send_all (&sender);
  amps_mailbox_free (mailbox);
  g_assert_cmpint (fixture.received, ==, 0);
}

static void
test_pass (void)
{
  Fixture fixture = { 0 };
  g_autoptr (AmpsMailbox) mailbox = amps_mailbox_new ("test", NULL, receive, letter_free, &fixture);
  Letter *letter = g_new0 (Letter, 1);

  letter->text = g_strdup ("0/0");
  amps_mailbox_pass (mailbox, &letter->mail);
  g_assert_cmpint (fixture.received, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox/many-senders", test_many_senders);
  g_test_add_func ("/mailbox/discard", test_discard);
  g_test_add_func ("/mailbox/pass", test_pass);
  return g_test_run ();
}
