/* SPDX-License-Identifier: MIT */
#include "workload/amps-early-answer.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What @text on a connection is, whose other owner has closed it. */
static AmpsAnswer *
read_answer (const char *text, gboolean sync)
{
  g_autoptr (AmpsEarlyAnswer) early = NULL;
  g_autoptr (GSocket) socket = NULL;
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  socket = g_socket_new_from_fd (ends[0], NULL);
  early = amps_early_answer_new (socket);
  g_socket_close (socket, NULL);
  g_assert_cmpint (write (ends[1], text, strlen (text)), ==, strlen (text));
  close (ends[1]);
  return amps_early_answer_read (early, sync);
}

static void
test_answer (void)
{
  g_autoptr (AmpsAnswer) answer =
      read_answer ("HTTP/1.1 100 Continue\r\n\r\n"
                   "HTTP/1.1 413 Too large\r\nRetry-After: 7\r\nConnection: close\r\n\r\nso big",
                   FALSE);

  g_assert_cmpint (answer->kind, ==, AMPS_ANSWER_STATUS);
  g_assert_cmpuint (answer->status, ==, 413);
  g_assert_cmpint (answer->retry_after, ==, 7 * G_USEC_PER_SEC);
  g_assert_cmpstr (answer->detail, ==, "so big");
}

static void
test_no_answer (void)
{
  static const char *const texts[] = {
    "",
    "HTTP/1.1 413 Too lar",
    "HTTP/1.1 413 Too large\r\n",
    "nonsense\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_null (read_answer (texts[i], FALSE));
}

/* One that is the outcome counts only if nothing of it can be missing. */
static void
test_success (void)
{
  static const struct {
    const char *text;
    gboolean async;
    gboolean sync;
  } rows[] = {
    { "HTTP/1.1 202 Accepted\r\n\r\n", TRUE, TRUE },
    { "HTTP/1.1 204 No Content\r\n\r\n", TRUE, TRUE },
    { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", TRUE, TRUE },
    { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"id\"", TRUE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (AmpsAnswer) async = read_answer (rows[i].text, FALSE);
      g_autoptr (AmpsAnswer) sync = read_answer (rows[i].text, TRUE);

      g_assert_true ((async != NULL) == rows[i].async);
      g_assert_true ((sync != NULL) == rows[i].sync);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/early-answer/answer", test_answer);
  g_test_add_func ("/early-answer/no-answer", test_no_answer);
  g_test_add_func ("/early-answer/success", test_success);
  return g_test_run ();
}
