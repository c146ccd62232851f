/* SPDX-License-Identifier: MIT */
#include "base/amps-uri.h"

#include <string.h>

static void
test_redact (void)
{
  const char *const cases[][2] = {
    { "amqp://", "amqp://" },
    { "amqp://host:5672/vhost", "amqp://host:5672/vhost" },
    { "amqp://host:/v", "amqp://host:/v" },
    { "AMQP://user:secret@host/v", "AMQP://user:***@host/v" },
    { "amqp://user:a:b!$&'()*+,;=-._~%40@host/v", "amqp://user:***@host/v" },
    { "amqps://u:p@h?keyfile=secret", "amqps://u:***@h?***" },
    { "amqp://h/v?a=secret", "amqp://h/v?***" },
    { "nats://host:4222", "nats://host:4222" },
    { "tcp://10.0.0.1:80", "tcp://10.0.0.1:80" },
    { "http://b\xc3\xbc"
      "cher.example/a,b",
      "http://b\xc3\xbc"
      "cher.example/a,b" },
    /* A user alone may be a token, and the colon may have been encoded. */
    { "http://secret@host/", "http://***@host/" },
    { "amqp://user%3Asecret@host", "amqp://***@host" },
    { "amqp://user%3Asecret:more@host", "amqp://***@host" },
    /* What was not encoded in a password. */
    { "amqp://user:se@cret@host", "amqp://***" },
    { "amqp://user:se@cr/et@host/v", "amqp://***" },
    { "amqp://user:sec/ret@host", "amqp://***" },
    { "amqp://user:12/secret@host", "amqp://***" },
    { "amqp://user:sec#ret@host", "amqp://***" },
    { "amqp://user:123#456", "amqp://***" },
    { "amqp://user:12?34@host", "amqp://***" },
    { "amqp://user:a@secret?b@host", "amqp://***" },
    { "amqp://us?er:secret@host", "amqp://***" },
    { "amqp://user:sec%zzret@host", "amqp://***" },
    { "amqp://user:secret%@host", "amqp://***" },
    { "amqp://user:sec%2", "amqp://***" },
    { "amqp://user:sec[ret@host", "amqp://***" },
    { "amqp://user:s\xc3\xbc@host", "amqp://user:***@host" },
    { "amqp://user:sec ret@host", "amqp://***" },
    { "amqp://user:sec\\ret\"^{}|<>@host", "amqp://user:***@host" },
    { "amqp://u:a,b:secret", "amqp://***" },
    { "amqp://host?a=secret@b", "amqp://***" },
    { "http://localhost:5050/@me", "http://***" },
    /* The host was forgotten. */
    { "amqp://user:secret", "amqp://***" },
    { "amqp://user:secret/v", "amqp://***" },
    { "amqp://user:1234567", "amqp://***" },
    { "amqp://host:65536", "amqp://***" },
    { "amqp://host:0", "amqp://host:0" },
    { "amqp://host:0000", "amqp://***" },
    /* IPv6 */
    { "amqp://[::1]:5672/v", "amqp://[::1]:5672/v" },
    { "amqp://[fe80::1%25eth0]", "amqp://[fe80::1%25eth0]" },
    { "amqp://u:secret@[::1]:5672", "amqp://u:***@[::1]:5672" },
    { "amqp://[u:secret@host", "amqp://***" },
    { "amqp://[u:secret]@host", "amqp://***" },
    { "amqp://u:secret@[::1]secret", "amqp://***" },
    /* Not even a scheme that everybody knows. */
    { "user:secret@host", "***" },
    { "secret", "***" },
    { "secret://user@one@two", "***" },
    { "://secret", "***" },
    { ":secret@host", "***" },
    { "amqp:secret@host", "***" },
    /* Files and sockets */
    { "sqlite:///var/lib/queue.db", "sqlite:///var/lib/queue.db" },
    { "SQLite:///queue.db?lease=1", "SQLite:///queue.db?***" },
    { "sqlite::memory:", "sqlite::memory:" },
    { "sqlite://u:secret@host/x", "sqlite:***" },
    { "sqlite:secret@host", "sqlite:***" },
    { "sqlite:///secret@host", "sqlite:***" },
    { "unix:/run/workload.sock", "unix:/run/workload.sock" },
    { "unix:secret@host", "unix:***" },
    { "unix:/secret@host", "unix:***" },
    { "", "" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *redacted = amps_uri_redact (cases[i][0]);

      g_test_message ("%s", cases[i][0]);
      g_assert_cmpstr (redacted, ==, cases[i][1]);
    }
}

static void
test_check (void)
{
  const struct {
    const char *uri;
    AmpsUriFault fault;
  } cases[] = {
    { "http://h", AMPS_URI_CLEAR },
    { "http://u:p@h:1/p?q", AMPS_URI_CLEAR },
    { "http://h:65535", AMPS_URI_CLEAR },
    { "http://[::1]:80", AMPS_URI_CLEAR },
    { "http://h:0", AMPS_URI_BAD_PORT },
    { "http://h:00/p", AMPS_URI_BAD_PORT },
    { "http://u:p@h:0", AMPS_URI_BAD_PORT },
    { "http://[::1]:0", AMPS_URI_BAD_PORT },
    { "http://h:65536", AMPS_URI_BAD_PORT },
    { "http://h:99999999999999999999", AMPS_URI_BAD_PORT },
    { "http://h:-1", AMPS_URI_UNCLEAR },
    { "http://h:x", AMPS_URI_UNCLEAR },
    { "http://u:p@ss@h", AMPS_URI_UNCLEAR },
    { "http://h/p#f", AMPS_URI_UNCLEAR },
    { "http:h", AMPS_URI_UNCLEAR },
    { "h", AMPS_URI_UNCLEAR },
    { "", AMPS_URI_UNCLEAR },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].uri);
      g_assert_cmpint (amps_uri_check (cases[i].uri), ==, cases[i].fault);
    }
}

static void
test_normalise (void)
{
  const char *const cases[][2] = {
    { "AMQPS://User:P@H/V", "amqps://User:P@H/V" },
    { "Unix:/Path", "unix:/Path" },
    { "SQLITE::memory:", "sqlite::memory:" },
    { "Word", "Word" },
    { "://A", "://A" },
    { "", "" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *normal = amps_uri_normalise (cases[i][0]);

      g_assert_cmpstr (normal, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/uri/redact", test_redact);
  g_test_add_func ("/uri/check", test_check);
  g_test_add_func ("/uri/normalise", test_normalise);
  return g_test_run ();
}
