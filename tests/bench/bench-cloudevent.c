/* SPDX-License-Identifier: MIT */
#include "event/amps-cloudevent.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a pass over an event costs: per event, and in GB/s of processor time. The best of
 * some rounds, since only the machine's other work makes one slower. With a case's name and
 * a number it scans that one so often and prints how many bytes it has, for callgrind. */

#define N_ROUNDS 20
#define ROUND_NS 30000000
#define LARGE (1024 * 1024)
/* Bytes that are enough to count instructions. */
#define COUNTED (64 * 1024)

#define ATTRIBUTES                                                                                 \
  "{\"specversion\":\"1.0\",\"id\":\"b1946ac9-2492-4a7b-8f3e-0d6f5c2a9e11\","                      \
  "\"source\":\"/shop/checkout\",\"type\":\"com.example.order.created\","                          \
  "\"time\":\"2024-05-14T09:26:53.589Z\",\"datacontenttype\":\"application/json\","

/* Each %u is a number that is never of the same length for long. */
static const struct {
  const char *name;
  const char *opening;
  const char *item;
  const char *closing;
  gsize size;
} cases[] = {
  { "small", "\"data\":{", "\"order\":%u,\"total\":\"440.00\",\"lines\":[1,2,3]", "}}", 0 },
  { "text", "\"data\":\"", "The quick brown fox jumps. ", "\"}", LARGE },
  { "escapes", "\"data\":\"", "The \\\"quick\\\" brown fox\\n", "\"}", LARGE },
  { "greek", "\"data\":\"", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ", "\"}", LARGE },
  { "base64", "\"data_base64\":\"", "QUJDREVGR0hJSktMTU5P", "\"}", LARGE },
  { "objects", "\"data\":[0", ",{\"id\":17,\"name\":\"x\",\"ok\":true,\"n\":-1.5}", "]}", LARGE },
  { "records", "\"data\":[0",
    ",{\"id\":%u,\"customer\":\"customer %u\",\"paid\":true,\"total\":%u.50,\"lines\":[%u,%u]}",
    "]}", LARGE },
  { "indented", "\"data\":[0",
    ",\n      {\n        \"id\": %u,\n        \"name\": \"x\",\n        \"ok\": true\n      }",
    "]}", LARGE },
  { "numbers", "\"data\":[0", ",%u.%u,%u,-1.5e3", "]}", LARGE },
  { "brackets", "\"data\":[0", ",[[[[[[{\"a\":[[[[[{}]]]]]}]]]]]]", "]}", LARGE },
};

static char *
make_event (unsigned int number, gsize size)
{
  g_auto (GStrv) parts = g_strsplit (cases[number].item, "%u", -1);
  GRand *numbers = g_rand_new_with_seed (1);
  GString *json = g_string_new (ATTRIBUTES);

  g_string_append (json, cases[number].opening);
  do
    for (char **part = parts; *part != NULL; part++)
      {
        if (part != parts)
          g_string_append_printf (json, "%u",
                                  g_rand_int (numbers) >> g_rand_int_range (numbers, 0, 32));
        g_string_append (json, *part);
      }
  while (json->len < MIN (cases[number].size, size));
  g_string_append (json, cases[number].closing);
  g_rand_free (numbers);
  return g_string_free (json, FALSE);
}

static gint64
get_cpu_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
scan (const char *json, gsize length, unsigned int count)
{
  for (unsigned int i = 0; i < count; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (json, length, AMPS_EVENT_VALIDATION_LENIENT, &error);

      g_assert_no_error (error);
      g_assert_nonnull (event);
    }
}

static double
measure (const char *json, gsize length)
{
  unsigned int count = length < LARGE ? 1000 : 1;
  gint64 started = get_cpu_ns ();
  gint64 elapsed;
  guint64 n = 0;

  do
    {
      scan (json, length, count);
      n += count;
      elapsed = get_cpu_ns () - started;
    }
  while (elapsed < ROUND_NS);

  return (double) elapsed / (double) n;
}

static void
report (unsigned int number)
{
  g_autofree char *json = make_event (number, LARGE);
  gsize length = strlen (json);
  double best = G_MAXDOUBLE;

  for (int round = 0; round < N_ROUNDS; round++)
    best = MIN (best, measure (json, length));
  g_print ("%-9s %8zu B %10.0f ns %6.2f GB/s\n", cases[number].name, length, best,
           (double) length / best);
}

int
main (int argc, char **argv)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json = argc == 3 ? make_event (i, COUNTED) : NULL;

      if (argc == 1 || (argc == 2 && g_str_equal (argv[1], cases[i].name)))
        report (i);
      if (argc != 3 || !g_str_equal (argv[1], cases[i].name))
        continue;
      scan (json, strlen (json), (unsigned int) atoi (argv[2]));
      g_print ("%zu\n", strlen (json));
    }

  return EXIT_SUCCESS;
}
