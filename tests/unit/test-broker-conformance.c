/* SPDX-License-Identifier: MIT */
#include "broker-conformance.h"

#include "base/amps-error.h"
#include "broker/amps-broker-factory.h"
#include "fake-broker.h"
#include "log-recorder.h"

#include <glib/gstdio.h>
#include <sys/socket.h>

/* The shortest lease. */
#define LEASE_SECONDS 1

/* The fake */

static AmpsBroker *
create_fake (gpointer server, const char *subject, gboolean policy, AmpsClock *clock G_GNUC_UNUSED)
{
  FakeBroker *broker = fake_broker_new_connected (server, subject);

  fake_broker_set_rejects (broker, policy);
  return AMPS_BROKER (broker);
}

static void
lose_fake (gpointer server G_GNUC_UNUSED, AmpsBroker *broker, AmpsDelivery *held G_GNUC_UNUSED,
           ShiftedClock *clock G_GNUC_UNUSED)
{
  fake_broker_lose_connection (FAKE_BROKER (broker));
}

/* Those that a URI names */

static AmpsBroker *
create_by_uri (gpointer uri, const char *subject, gboolean policy, AmpsClock *clock)
{
  static const char *const none[] = { NULL };
  g_autofree char *host = g_strconcat ("BROKER_HOST=", uri, NULL);
  g_autofree char *name = g_strconcat ("BROKER_SUBJECT=", subject, NULL);
  const char *type = g_getenv ("AMPS_TEST_QUEUE_TYPE");
  g_autofree char *queue_type = g_strconcat ("QUEUE_TYPE=", type != NULL ? type : "quorum", NULL);
  const char *const environment[] = { host,
                                      name,
                                      "QUEUE_DECLARE=auto",
                                      queue_type,
                                      policy ? "DEAD_LETTER_MODE=broker" : "DEAD_LETTER_MODE=queue",
                                      NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = amps_config_new_full (
      AMPS_CONFIG_SERVICE, environment, NULL, none, amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  return amps_broker_factory_create (config, clock);
}

/* As when the process was suspended. */
static void
lose_leases (gpointer uri G_GNUC_UNUSED, AmpsBroker *broker, AmpsDelivery *held,
             ShiftedClock *clock)
{
  shifted_clock_set_shift (clock, AMPS_SECONDS (LEASE_SECONDS));
  g_assert_false (amps_broker_is_leased (broker, held));
  shifted_clock_set_shift (clock, 0);
}

static guint16
get_peer_port (int fd)
{
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  g_autoptr (GSocketAddress) address = NULL;

  if (getpeername (fd, (struct sockaddr *) &peer, &length) != 0)
    return 0;

  address = g_socket_address_new_from_native (&peer, length);
  return G_IS_INET_SOCKET_ADDRESS (address)
             ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address))
             : 0;
}

/* All connections of this process to the broker end, whoever has made them. */
static void
lose_connections (gpointer uri, AmpsBroker *broker G_GNUC_UNUSED, AmpsDelivery *held G_GNUC_UNUSED,
                  ShiftedClock *clock G_GNUC_UNUSED)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  unsigned int n_lost = 0;
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      int fd = (int) g_ascii_strtoll (name, NULL, 10);

      if (get_peer_port (fd) == g_uri_get_port (parsed) && shutdown (fd, SHUT_RDWR) == 0)
        n_lost++;
    }
  g_assert_cmpuint (n_lost, >, 0);
}

int
main (int argc, char **argv)
{
  FakeServer *server = fake_server_new ();
  g_autofree char *folder = g_dir_make_tmp ("amps-conformance-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "queue.db", NULL);
  g_autofree char *file = g_strdup_printf ("sqlite://%s?lease=%ds", path, LEASE_SECONDS);
  g_autofree char *live = g_strdup (g_getenv ("AMPS_TEST_BROKER_URI"));
  const ConformanceCandidate candidates[] = {
    { "fake", FALSE, server, create_fake, lose_fake },
    { "embedded", TRUE, file, create_by_uri, lose_leases },
    { "live", FALSE, live, create_by_uri, lose_connections },
  };
  g_autofree char *warnings = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();
  /* Without a broker that listens there the last one can't be tried. */
  for (unsigned int i = 0; i < G_N_ELEMENTS (candidates) - (live == NULL ? 1 : 0); i++)
    broker_conformance_add (&candidates[i]);
  status = g_test_run ();

  warnings = log_recorder_take ();
  fake_server_free (server);
  g_unlink (path);
  g_rmdir (folder);
  return status;
}
