/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-topology.h"

#include <string.h>

/* The ladder of delays: never later than wanted, the rest is waited
 * for, or hopped, after it. What declares the queues is tested with a broker. */
static void
test_ladder (void)
{
  static const struct {
    gint64 delay; /* ms */
    gint64 step;  /* ms */
    const char *queue;
  } cases[] = {
    { 1, 1000, "jobs.retry.1s" },           { 1000, 1000, "jobs.retry.1s" },
    { 1999, 1000, "jobs.retry.1s" },        { 2000, 2000, "jobs.retry.2s" },
    { 4999, 2000, "jobs.retry.2s" },        { 5000, 5000, "jobs.retry.5s" },
    { 10000, 10000, "jobs.retry.10s" },     { 29999, 10000, "jobs.retry.10s" },
    { 30000, 30000, "jobs.retry.30s" },     { 60000, 60000, "jobs.retry.1m" },
    { 299999, 60000, "jobs.retry.1m" },     { 300000, 300000, "jobs.retry.5m" },
    { 900000, 900000, "jobs.retry.15m" },   { 3600000, 3600000, "jobs.retry.1h" },
    { 86400000, 3600000, "jobs.retry.1h" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 step;
      g_autofree char *queue =
          amps_amqp_topology_get_retry_queue ("jobs", cases[i].delay * 1000, &step);

      g_assert_cmpstr (queue, ==, cases[i].queue);
      g_assert_cmpint (step, ==, cases[i].step * 1000);
    }
}

/* What RabbitMQ 3.10 and 4.0 say to a consumer with a priority. */
static void
test_refusals (void)
{
  g_autofree char *stream = amps_amqp_topology_describe_refusal (
      "s", "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 's' in vhost '/' of queue "
           "type rabbit_stream_queue");
  g_autofree char *other = amps_amqp_topology_describe_refusal (
      "rabbit_stream_queue", "ACCESS_REFUSED - queue 'rabbit_stream_queue' in exclusive use");

  g_assert_nonnull (strstr (stream, "“s” is a stream"));
  g_assert_nonnull (strstr (stream, "quorum or classic"));
  g_assert_null (strstr (other, "is a stream"));
  g_assert_nonnull (strstr (other, "in exclusive use"));
}

static void
test_list (void)
{
  g_auto (GStrv) queues = amps_amqp_topology_list_retry_queues ("jobs");
  g_autofree char *all = g_strjoinv (" ", queues);

  g_assert_cmpstr (all, ==,
                   "jobs.retry.1s jobs.retry.2s jobs.retry.5s jobs.retry.10s jobs.retry.30s "
                   "jobs.retry.1m jobs.retry.5m jobs.retry.15m jobs.retry.1h");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-topology/ladder", test_ladder);
  g_test_add_func ("/amqp-topology/refusals", test_refusals);
  g_test_add_func ("/amqp-topology/list", test_list);
  return g_test_run ();
}
