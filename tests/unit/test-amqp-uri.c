/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-uri.h"

#include <string.h>

static const struct {
  const char *uri;
  const char *host;
  int port;
  const char *user;
  const char *password;
  const char *vhost;
  const char *address;
} good[] = {
  { "amqp://", "localhost", 5672, "guest", "guest", "/", "localhost:5672" },
  { "amqp://host", "host", 5672, "guest", "guest", "/", "host:5672" },
  { "amqp://host/", "host", 5672, "guest", "guest", "/", "host:5672" },
  { "amqps://host", "host", 5671, "guest", "guest", "/", "host:5671" },
  { "amqp://u:p@host:1/v", "host", 1, "u", "p", "v", "host:1" },
  { "amqp://u%40x:p%2F%3a@host/%2fv", "host", 5672, "u@x", "p/:", "/v", "host:5672" },
  { "AMQP://Host", "Host", 5672, "guest", "guest", "/", "Host:5672" },
  { "AmqpS://host:/", "host", 5671, "guest", "guest", "/", "host:5671" },
  { "amqp://u:a:b!$&'()*+,;=@host", "host", 5672, "u", "a:b!$&'()*+,;=", "/", "host:5672" },
  { "amqp://u:p@host:65535", "host", 65535, "u", "p", "/", "host:65535" },
  { "amqp://[::1]:7/v", "::1", 7, "guest", "guest", "v", "[::1]:7" },
};

static void
test_good (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (good[i].uri, &error);

      g_test_message ("%s", good[i].uri);
      g_assert_no_error (error);
      g_assert_cmpstr (uri->host, ==, good[i].host);
      g_assert_cmpint (uri->port, ==, good[i].port);
      g_assert_cmpstr (uri->user, ==, good[i].user);
      g_assert_cmpstr (uri->password, ==, good[i].password);
      g_assert_cmpstr (uri->vhost, ==, good[i].vhost);
      g_assert_cmpstr (uri->address, ==, good[i].address);
    }
}

static void
test_parameters (void)
{
  g_autoptr (AmpsAmqpUri) defaults = amps_amqp_uri_parse ("amqps://h", NULL);
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (
      "amqps://h?heartbeat=5&connection_timeout=1500&cacertfile=%2Fca&certfile=/c&keyfile=/k"
      "&verify=verify_none&auth_mechanism=EXTERNAL&server_name_indication=h&channel_max=3",
      NULL);

  g_assert_cmpint (defaults->heartbeat, ==, 30);
  g_assert_true (defaults->verify);
  g_assert_false (defaults->external);
  g_assert_null (defaults->ca_file);

  g_assert_true (uri->tls);
  g_assert_cmpint (uri->heartbeat, ==, 5);
  g_assert_cmpint (uri->connection_timeout, ==, 1500000);
  g_assert_cmpstr (uri->ca_file, ==, "/ca");
  g_assert_cmpstr (uri->certificate_file, ==, "/c");
  g_assert_cmpstr (uri->key_file, ==, "/k");
  g_assert_false (uri->verify);
  g_assert_true (uri->external);
}

static void
test_bad (void)
{
  const char *const bad[] = {
    "",
    "http://u:hunter2@h",
    "amqp://u:hunter2@h:x",
    "amqp://u:hunter2@h/a/b",
    "amqp://u:hunter2@h?heartbeat=often",
    "amqp://u:hunter2@h?heartbeat=65536",
    "amqp://u:hunter2@h?connection_timeout=-1",
    "amqp://u:hunter2@h?verify=maybe",
    "amqp://u:hunter2@h?auth_mechanism=magic",
    "amqp://u:hunter2@h?server_name_indication=other",
    "amqp://u:%zz@h",
    "amqp://u:x@hunter2@h",
    "amqp://u:1/hunter2@h",
    "amqp://u:1?hunter2@h",
    "amqp://u:1#hunter2@h",
    "amqp://u:hunter2",
    "amqp://u%3Ahunter2@h",
    "amqp://h:0",
    "amqps://u:hunter2@[::1]:0",
    "amqp://h:65536",
    "amqp://u:hunter2@[::1",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i]);
      g_assert_null (amps_amqp_uri_parse (bad[i], &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_null (strstr (error->message, "hunter2"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-uri/good", test_good);
  g_test_add_func ("/amqp-uri/parameters", test_parameters);
  g_test_add_func ("/amqp-uri/bad", test_bad);
  return g_test_run ();
}
