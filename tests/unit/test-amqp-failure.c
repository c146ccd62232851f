/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-failure.h"

#include "http-client.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static void
test_refused (void)
{
  g_autofree char *why = amps_amqp_failure_explain ("127.0.0.1", find_free_port (), G_USEC_PER_SEC);

  g_assert_cmpstr (why, ==, "connection refused");
}

/* Some machines can look up no name at all, and say that. */
static void
test_no_such_host (void)
{
  g_autofree char *why = amps_amqp_failure_explain ("no-such-host.invalid", 5672, G_USEC_PER_SEC);
  static const char *const answers[] = { "no such host",
                                         "the host's name can't be looked up for now", NULL };

  g_assert_true (g_strv_contains (answers, why));
}

static GSocket *
new_socket (void)
{
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* A listener whose queue is full: Linux leaves the next one without an answer. */
static void
test_timeout (void)
{
  g_autoptr (GSocket) listener = new_socket ();
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *why = NULL;
  int port;

  g_assert_true (g_socket_bind (listener, any, FALSE, NULL));
  g_socket_set_listen_backlog (listener, 0);
  g_assert_true (g_socket_listen (listener, NULL));
  address = g_socket_get_local_address (listener, NULL);
  port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  for (int i = 0; i < 4; i++)
    {
      g_ptr_array_add (clients, new_socket ());
      g_socket_connect (g_ptr_array_index (clients, i), address, NULL, NULL);
    }

  why = amps_amqp_failure_explain ("127.0.0.1", port, G_USEC_PER_SEC / 10);
  g_assert_cmpstr (why, ==, "timed out");
}

/* By the time it is asked, it may go well. */
static void
test_passing_fault (void)
{
  g_autoptr (GSocket) listener = new_socket ();
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *why = NULL;

  g_assert_true (g_socket_bind (listener, any, FALSE, NULL));
  g_assert_true (g_socket_listen (listener, NULL));
  address = g_socket_get_local_address (listener, NULL);
  why = amps_amqp_failure_explain ("127.0.0.1",
                                   g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)),
                                   G_USEC_PER_SEC);
  g_assert_cmpstr (why, ==, "it took no connection a moment ago");
}

/* It says so itself, rather than that the broker is away. */
static void
test_out_of_descriptors (void)
{
  struct rlimit limit;
  struct rlimit none;
  g_autofree char *why = NULL;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = limit;
  none.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  why = amps_amqp_failure_explain ("127.0.0.1", 5672, G_USEC_PER_SEC);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpstr (why, ==, "too many open files");
}

/* Never what the library says of all of them. */
static void
test_describe (void)
{
  static const struct {
    int status;
    int code;
    const char *text;
  } cases[] = {
    { AMQP_STATUS_SOCKET_ERROR, ECONNREFUSED, "connection refused" },
    { AMQP_STATUS_SOCKET_ERROR, ECONNRESET, "the other side has broken the connection" },
    { AMQP_STATUS_SOCKET_ERROR, EPIPE, "the other side has broken the connection" },
    { AMQP_STATUS_SOCKET_ERROR, EHOSTUNREACH, "no route to the host" },
    { AMQP_STATUS_SOCKET_ERROR, ENETUNREACH, "the network can't be reached" },
    { AMQP_STATUS_SOCKET_ERROR, EAGAIN, "the other side has closed the connection" },
    { AMQP_STATUS_CONNECTION_CLOSED, ECONNREFUSED, "the other side has closed the connection" },
    { AMQP_STATUS_TIMEOUT, 0, "timed out" },
    { AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED, 0, "the host's name can't be looked up" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      errno = cases[i].code;
      g_assert_cmpstr (amps_amqp_failure_describe (cases[i].status), ==, cases[i].text);
    }
  g_assert_nonnull (
      strstr (amps_amqp_failure_describe (AMQP_STATUS_HEARTBEAT_TIMEOUT), "heartbeat"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-failure/refused", test_refused);
  g_test_add_func ("/amqp-failure/no-such-host", test_no_such_host);
  g_test_add_func ("/amqp-failure/timeout", test_timeout);
  g_test_add_func ("/amqp-failure/passing-fault", test_passing_fault);
  g_test_add_func ("/amqp-failure/out-of-descriptors", test_out_of_descriptors);
  g_test_add_func ("/amqp-failure/describe", test_describe);
  return g_test_run ();
}
