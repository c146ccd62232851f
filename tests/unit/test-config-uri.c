/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "bad-settings.h"
#include "broker/amps-broker-factory.h"
#include "config/amps-config-uri.h"

#include <string.h>

#define N_PASSWORDS 600
#define MAX_PASSWORD 24

static AmpsConfig *
read_config (const char *variable, GError **error)
{
  static const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", variable, NULL };

  return amps_config_new_full (AMPS_CONFIG_SERVICE, environment, NULL, none,
                               amps_broker_factory_get_backends (), error);
}

/* Everything that is said of the settings, at start and later. */
static char *
get_all_output (AmpsConfig *config, const GError *error)
{
  g_autofree char *dump = NULL;
  g_autofree char *summary = NULL;

  if (config == NULL)
    return g_strdup (error->message);

  dump = amps_config_to_string (config);
  summary = amps_config_summarise (config);
  return g_strconcat (dump, summary, NULL);
}

static void
test_refused (void)
{
  static const BadSetting bad[] = {
    { "BROKER_HOST=amqp://app:Tr0ub4dor@TailOfSecret@127.0.0.1:5672", "%40 for @" },
    { "BROKER_HOST=amqp://app:5672/TailOfSecret@127.0.0.1:5672", "%2F for /" },
    { "BROKER_HOST=amqp://app:TailOfSecret#x@127.0.0.1", "%23 for #" },
    { "BROKER_HOST=amqp://app:TailOfSecret?x@127.0.0.1", "%3F for ?" },
    { "BROKER_HOST=amqp://app:TailOfSecret%zz@127.0.0.1", "%25 for %" },
    { "BROKER_HOST=amqp://app:TailOfSecret[]@127.0.0.1", "%XX" },
    { "BROKER_HOST=amqp://app:TailOfSecret", "amqp://user:password@host" },
    { "BROKER_HOST=amqp://h/v?x=TailOfSecret@h", "%40 for @" },
    { "BROKER_HOST=amqp://good,amqp://app:a@TailOfSecret@h", "%40 for @" },
    { "BROKER_HOST=amqp://app:TailOfSecret@b@h,amqp://good", "%40 for @" },
    { "BROKER_HOST=amqp://app:a@TailOfSecret@[::1]:5672", "%40 for @" },
    { "BROKER_HOST=amqp://app:a,amqp://TailOfSecret:b@h", "BROKER_HOST=amqp://***,amqp://***: " },
    { "BROKER_HOST=amqp://app:a,sqlite:///TailOfSecret", "BROKER_HOST=amqp://***,sqlite:***: " },
    { "BROKER_HOST= ", "amqp://user:password@host" },
    { "BROKER_HOST=,", "amqp://user:password@host" },
    { "WORKLOAD_ADDRESS= ", "http://localhost:5050" },
    { "BROKER_HOST=app:TailOfSecret@127.0.0.1", "amqp://user:password@host" },
    { "BROKER_HOST=amqp://app%3ATailOfSecret@h", "%3A" },
    { "BROKER_HOST=sqlite://app:TailOfSecret@h", "sqlite:///path" },
    { "BROKER_HOST=amqp://h,sqlite:///x:TailOfSecret@h", "one type" },
    { "BROKER_DSN=amqp://app:x@TailOfSecret@h", "BROKER_DSN=amqp://***: " },
    { "WORKLOAD_ADDRESS=http://app:Tr0ub4dor@TailOfSecret@127.0.0.1:5050", "%40 for @" },
    { "WORKLOAD_ADDRESS=https://app:5050/TailOfSecret@127.0.0.1:5050", "%2F for /" },
    { "WORKLOAD_ADDRESS=http://app:TailOfSecret@127.0.0.1:5050#x", "%23 for #" },
    { "WORKLOAD_ADDRESS=app:TailOfSecret@127.0.0.1:5050", "http://localhost:5050" },
    { "WORKLOAD_ADDRESS=unix:TailOfSecret@x", "unix:/path" },
    { "WORKLOAD_READY_PATH=http://app:TailOfSecret@h/ready", "slash" },
    { "WORKLOAD_KEY_FILE=-----BEGIN PRIVATE KEY-----TailOfSecret", "WORKLOAD_KEY_FILE=***" },
    { "SENTRY_DSN=https://a@TailOfSecret@h/1", "https://KEY@HOST/PROJECT" },
    { "API_URL=http://app:TailOfSecret@h", "http://host:4000" },
    { "API_URL=http://app:a@TailOfSecret@h", "http://host:4000" },
    { "API_URL=app:TailOfSecret@h", "http://host:4000" },
    { "API_TOKEN_FILE=TailOfSecret", "API_TOKEN_FILE=***: " },
    { "BROKER_HOST_FILE=amqp://app:TailOfSecret@h", "BROKER_HOST_FILE=***: " },
    { "BROKER_HOST=amqp://127.0.0.1:0", "from 1 to 65535" },
    { "BROKER_HOST=amqps://u:p@[::1]:0/v", "from 1 to 65535" },
    { "BROKER_HOST=amqp://h:65536", "from 1 to 65535" },
    { "BROKER_HOST=amqp://good,amqp://h:0", "from 1 to 65535" },
    { "WORKLOAD_ADDRESS=http://h:0", "from 1 to 65535" },
    { "WORKLOAD_ADDRESS=https://h:65536/p", "from 1 to 65535" },
    { "SENTRY_DSN=https://k@h:0/1", "from 1 to 65535" },
    { "API_URL=http://h:0", "from 1 to 65535" },
    { "API_URL=http://h/", "slash at its end" },
    { "API_URL=http://h/?", "query" },
    { "API_URL=http://h?a=b", "query" },
    { "API_URL=unix:path", "unix:/path" },
    { "API_URL=unix:/p\xc3\xa4th", "unix:/path" },
    { "API_URL=h:4000", "http://host:4000" },
    { "API_URL=http://", "http://host:4000" },
  };

  assert_refused (bad, G_N_ELEMENTS (bad), read_config);
}

/* As they are written, and as they are used. */
static void
test_schemes (void)
{
  const char *const cases[][2] = {
    { "BROKER_HOST=AMQP://User:P@H/V", "BROKER_HOST=amqp://User:***@H/V\n" },
    { "BROKER_HOST=Amqps://a,aMQP://b", "BROKER_HOST=amqps://a,amqp://b\n" },
    { "BROKER_HOST=SQLite::memory:", "BROKER_TYPE=embedded\n" },
    { "WORKLOAD_ADDRESS=HTTP://H/P", "WORKLOAD_ADDRESS=http://H/P\n" },
    { "WORKLOAD_ADDRESS=Https://h", "WORKLOAD_ADDRESS=https://h\n" },
    { "WORKLOAD_ADDRESS=Unix:/Path", "WORKLOAD_ADDRESS=unix:/Path\n" },
    { "API_URL=HTTP://H:1/P", "API_URL=http://H:1/P\n" },
    { "SENTRY_DSN=HTTPS://k@h/1", "SENTRY_DSN=***\n" },
    { "API_URL=http://[::1]:4000", "API_URL=http://[::1]:4000\n" },
    { "API_URL=Unix:/Path", "API_URL=unix:/Path\n" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsConfig) config = read_config (cases[i][0], &error);
      g_autofree char *dump = NULL;

      g_assert_no_error (error);
      dump = amps_config_to_string (config);
      g_test_message ("%s", dump);
      g_assert_nonnull (strstr (dump, cases[i][1]));
    }
}

/* Wherever it stands, and however wrong it is written. */
static void
test_password_is_never_shown (void)
{
  const char *const uris[] = {
    "amqp://u:hunter2@h",          "amqp://u:hunter2",
    "amqp://u:hunter2@h:port",     "amqp://u:x/hunter2@h",
    "amqp://u:x?hunter2@h",        "amqp://u:x#hunter2@h",
    "amqp://u:x,hunter2@h",        "amqp://u:x,hunter2@h,sqlite:///y",
    "http://u:hunter2@h",          "amqp://u:x@hunter2@h,",
    "amqp://h,amqp://u:hunter2@g", "u:hunter2@h",
    "amqp://h?password=hunter2",   "amqp://u:hunter2\t@h",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      const char *const none[] = { NULL };
      g_autofree char *broker = g_strconcat ("BROKER_HOST=", uris[i], NULL);
      const char *const environment[] = { "BROKER_SUBJECT=jobs", "BROKER_TYPE=embedded", broker,
                                          NULL };
      g_autoptr (GError) error = NULL;

      g_assert_null (amps_config_new_full (AMPS_CONFIG_SERVICE, environment, NULL, none,
                                           amps_broker_factory_get_backends (), &error));
      g_test_message ("%s", error->message);
      g_assert_null (strstr (error->message, "hunter2"));
    }
}

static void
test_uris (void)
{
  g_autoptr (AmpsConfig) config =
      read_config ("BROKER_HOST=amqp://u:a,b:c@one,amqps://two , amqp://u:d,amqp@three", NULL);
  const char *const *uris = amps_config_get_broker_uris (config);

  g_assert_cmpstr (uris[0], ==, "amqp://u:a,b:c@one");
  g_assert_cmpstr (uris[1], ==, "amqps://two");
  g_assert_cmpstr (uris[2], ==, "amqp://u:d,amqp@three");
  g_assert_null (uris[3]);
}

/* Every second character is a capital that no text of AMPS has four of. */
static void
make_password (char *password)
{
  static const char nasty[] = "@:/?#%[]&=+;,!$'()*~._-\\\"<>^`{|} @@//::%%\xc3\xbc";
  static const char marks[] = "QZJXKVWY";
  int length = g_test_rand_int_range (4, MAX_PASSWORD);

  for (int i = 0; i < length; i++)
    password[i] = i % 2 == 0 ? marks[g_test_rand_int_range (0, sizeof marks - 1)]
                             : nasty[g_test_rand_int_range (0, sizeof nasty - 1)];
  password[length] = '\0';
}

static void
assert_hides (const char *output, const char *password)
{
  for (gsize i = 0; i + 4 <= strlen (password); i++)
    {
      g_autofree char *piece = g_strndup (password + i, 4);

      if (strstr (output, piece) != NULL)
        g_error ("“%s” of “%s” is shown: %s", piece, password, output);
    }
}

/* What is accepted arrives whole, and nothing is shown either way. */
static void
test_random_passwords (void)
{
  const char *const formats[] = {
    "BROKER_HOST=amqp://user:%s@host:5672/v",
    "BROKER_HOST=amqps://user:%s@[::1]/v?heartbeat=3",
    "BROKER_HOST=amqp://a, amqp://user:%s@host, amqp://b",
    "BROKER_DSN=user:%s@host",
    "WORKLOAD_ADDRESS=http://user:%s@host:5050/p",
    "WORKLOAD_ADDRESS=HTTPS://user:%s@host",
    "SENTRY_DSN=https://user:%s@host/1",
    "API_URL=http://user:%s@host",
    "API_TOKEN_FILE=%s",
    "BROKER_HOST_FILE=amqp://user:%s@host",
    "WORKLOAD_READY_PATH=http://user:%s@host/ready",
  };
  unsigned int n_accepted = 0;

  for (unsigned int i = 0; i < N_PASSWORDS; i++)
    {
      char password[MAX_PASSWORD + 1];

      make_password (password);
      for (unsigned int j = 0; j < G_N_ELEMENTS (formats); j++)
        {
          g_auto (GStrv) halves = g_strsplit (formats[j], "%s", 2);
          g_autofree char *variable = g_strconcat (halves[0], password, halves[1], NULL);
          g_autoptr (GError) error = NULL;
          g_autoptr (AmpsConfig) config = read_config (variable, &error);
          g_autofree char *output = get_all_output (config, error);

          assert_hides (output, password);
          if (config == NULL)
            continue;
          n_accepted++;
          if (j == 0)
            g_assert_nonnull (strstr (output, "amqp://user:***@host:5672/v\n"));
        }
    }

  g_test_message ("%u accepted", n_accepted);
  /* Else nothing but refusals were looked at. */
  g_assert_cmpuint (n_accepted, >, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-uri/refused", test_refused);
  g_test_add_func ("/config-uri/schemes", test_schemes);
  g_test_add_func ("/config-uri/password-is-never-shown", test_password_is_never_shown);
  g_test_add_func ("/config-uri/several", test_uris);
  g_test_add_func ("/config-uri/random-passwords", test_random_passwords);
  return g_test_run ();
}
