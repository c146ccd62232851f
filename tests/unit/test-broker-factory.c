/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amps-broker-factory.h"

#include <string.h>

/* By what BROKER_HOST begins with; none of them connects by itself. */
static void
test_create (void)
{
  static const struct {
    const char *uri;
    const char *type;
  } cases[] = {
    { "BROKER_HOST=amqp://127.0.0.1", "AmpsBrokerAmqp" },
    { "BROKER_HOST=amqps://127.0.0.1", "AmpsBrokerAmqp" },
    { "BROKER_HOST=sqlite::memory:", "AmpsBrokerEmbedded" },
  };
  const char *const none[] = { NULL };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const environment[] = { "BROKER_SUBJECT=jobs", cases[i].uri, NULL };
      g_autoptr (AmpsConfig) config = amps_config_new_full (
          AMPS_CONFIG_SERVICE, environment, NULL, none, amps_broker_factory_get_backends (), NULL);
      g_autoptr (AmpsClock) clock = amps_clock_new ();
      AmpsBroker *broker = amps_broker_factory_create (config, clock);

      g_assert_cmpstr (G_OBJECT_TYPE_NAME (broker), ==, cases[i].type);
      g_assert_cmpint (amps_broker_get_state (broker), ==, AMPS_BROKER_DISCONNECTED);
      g_assert_finalize_object (broker);
    }
}

static AmpsDeadLetters *
create_dead_letters (const char *uri, const char *setting, GError **error)
{
  const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", uri, setting, NULL };
  g_autoptr (AmpsConfig) config = amps_config_new_full (
      AMPS_CONFIG_SERVICE, environment, NULL, none, amps_broker_factory_get_backends (), NULL);
  g_autoptr (AmpsClock) clock = amps_clock_new ();

  return amps_broker_factory_create_dead_letters (config, clock, error);
}

static void
test_create_dead_letters (void)
{
  g_autoptr (AmpsDeadLetters) amqp =
      create_dead_letters ("BROKER_HOST=amqp://127.0.0.1", NULL, NULL);
  g_autoptr (AmpsDeadLetters) embedded =
      create_dead_letters ("BROKER_HOST=sqlite:///queue.db", NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (G_OBJECT_TYPE_NAME (amqp), ==, "AmpsDeadLettersAmqp");
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (embedded), ==, "AmpsDeadLettersEmbedded");

  /* AMPS does not know where they are. */
  g_assert_null (
      create_dead_letters ("BROKER_HOST=amqp://127.0.0.1", "DEAD_LETTER_MODE=broker", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "DEAD_LETTER_QUEUE"));
}

static const AmpsConfigBackend *
find_backend (const char *name)
{
  const AmpsConfigBackend *const *backends = amps_broker_factory_get_backends ();

  while (!g_str_equal ((*backends)->name, name))
    backends++;
  return *backends;
}

static void
test_check_uri (void)
{
  static const struct {
    const char *type;
    const char *uri;
    const char *problem; /* (nullable) a part of what is said of it */
  } cases[] = {
    { "amqp", "amqp://user:password@h/v?heartbeat=10", NULL },
    { "amqp", "amqp://user:hunter2@h?heartbeat=hunter2", "heartbeat" },
    { "amqp", "sqlite::memory:", "amqp://" },
    { "embedded", "sqlite:///queue.db?lease=5s", NULL },
    { "embedded", "sqlite:///queue.db?lease=hunter2", "lease" },
    { "embedded", "sqlite:queue.db", "absolute path" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean good = find_backend (cases[i].type)->check_uri (cases[i].uri, &error);

      g_test_message ("%s", cases[i].uri);
      g_assert_cmpint (good, ==, cases[i].problem == NULL);
      if (good)
        {
          g_assert_no_error (error);
          continue;
        }
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].problem));
      g_assert_null (strstr (error->message, "hunter2"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/broker-factory/create", test_create);
  g_test_add_func ("/broker-factory/create-dead-letters", test_create_dead_letters);
  g_test_add_func ("/broker-factory/check-uri", test_check_uri);
  return g_test_run ();
}
