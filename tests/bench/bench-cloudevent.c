/* SPDX-License-Identifier: MIT */
#include "event/amps-cloudevent.h"

#include <string.h>

/* What a pass over an event costs: per event, and in MiB/s. The best of some
 * rounds, since only the machine's other work makes one slower. */

#define N_ROUNDS 7
#define ROUND_TIME (G_USEC_PER_SEC / 10)
#define LARGE (1024 * 1024)

#define ATTRIBUTES                                                                                 \
  "{\"specversion\":\"1.0\",\"id\":\"b1946ac9-2492-4a7b-8f3e-0d6f5c2a9e11\","                      \
  "\"source\":\"/shop/checkout\",\"type\":\"com.example.order.created\","                          \
  "\"time\":\"2024-05-14T09:26:53.589Z\",\"datacontenttype\":\"application/json\","

static char *
make_event (const char *opening, const char *item, const char *closing, gsize size)
{
  GString *json = g_string_new (ATTRIBUTES);

  g_string_append (json, opening);
  do
    g_string_append (json, item);
  while (json->len < size);
  g_string_append (json, closing);
  return g_string_free (json, FALSE);
}

static double
measure (const char *json, gsize length)
{
  gint64 started = g_get_monotonic_time ();
  gint64 elapsed;
  guint64 count = 0;

  do
    {
      for (int i = 0; i < (length > LARGE / 2 ? 1 : 1000); i++, count++)
        {
          g_autoptr (AmpsCloudEvent) event =
              amps_cloud_event_scan (json, length, AMPS_EVENT_VALIDATION_LENIENT, NULL);

          g_assert_nonnull (event);
        }
      elapsed = g_get_monotonic_time () - started;
    }
  while (elapsed < ROUND_TIME);

  return (double) elapsed / (double) count;
}

int
main (void)
{
  const struct {
    const char *name;
    const char *opening;
    const char *item;
    const char *closing;
    gsize size;
  } cases[] = {
    { "300 B", "\"data\":{", "\"order\":10248,\"total\":\"440.00\",\"customer\":\"VINET\"",
      ",\"lines\":[1,2,3]}}", 0 },
    { "1 MiB of text", "\"data\":\"", "The quick brown fox jumps. ", "\"}", LARGE },
    { "1 MiB of text with escapes", "\"data\":\"", "The \\\"quick\\\" brown fox\\n", "\"}", LARGE },
    { "1 MiB of text in Greek", "\"data\":\"", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ", "\"}",
      LARGE },
    { "1 MiB of base64", "\"data_base64\":\"", "QUJDREVGR0hJSktMTU5P", "\"}", LARGE },
    { "1 MiB of small objects", "\"data\":[0", ",{\"id\":17,\"name\":\"x\",\"ok\":true,\"n\":-1.5}",
      "]}", LARGE },
    { "1 MiB of indented numbers", "\"data\":[0", ",\n        12345.678", "]}", LARGE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json =
          make_event (cases[i].opening, cases[i].item, cases[i].closing, cases[i].size);
      gsize length = strlen (json);
      double best = G_MAXDOUBLE;

      for (int round = 0; round < N_ROUNDS; round++)
        best = MIN (best, measure (json, length));

      g_print ("%-28s %8zu B %10.0f ns %8.0f MiB/s\n", cases[i].name, length, best * 1000,
               (double) length / best * G_USEC_PER_SEC / LARGE);
    }

  return 0;
}
