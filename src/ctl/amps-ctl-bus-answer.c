/* SPDX-License-Identifier: MIT */
#include "amps-ctl-bus-answer.h"

#include "amps-ctl-json.h"
#include "base/amps-timestamp.h"

/* What D-Bus answers, in the form that the HTTP API gives it. */

static void
set_string (JsonObject *object, const char *name, GVariantDict *values, const char *key)
{
  const char *text;

  if (g_variant_dict_lookup (values, key, "&s", &text))
    json_object_set_string_member (object, name, text);
}

static void
set_number (JsonObject *object, const char *name, GVariantDict *values, const char *key)
{
  guint32 number;

  if (g_variant_dict_lookup (values, key, "u", &number))
    json_object_set_int_member (object, name, number);
}

/* As RFC 3339 has it; null for never. */
static void
set_time (JsonObject *object, const char *name, guint64 microseconds)
{
  g_autofree char *text = NULL;

  if (microseconds == 0)
    {
      json_object_set_null_member (object, name);
      return;
    }

  text = microseconds <= G_MAXINT64 ? amps_timestamp_format ((gint64) microseconds, 6) : NULL;
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

static GVariantDict *
open_properties (GVariant *answer)
{
  g_autoptr (GVariant) properties = g_variant_get_child_value (answer, 0);

  return g_variant_dict_new (properties);
}

static char *
join_obstacles (GVariantDict *properties)
{
  g_autofree const char **obstacles = NULL;

  if (!g_variant_dict_lookup (properties, "Obstacles", "^a&s", &obstacles))
    return g_strdup ("");
  return g_strjoinv ("; ", (char **) obstacles);
}

static JsonObject *
make_counters (GVariantDict *properties)
{
  JsonObject *counters = json_object_new ();
  g_autoptr (GVariant) values =
      g_variant_dict_lookup_value (properties, "Counters", G_VARIANT_TYPE ("a{st}"));
  GVariantIter iter;
  const char *name;
  guint64 value;

  if (values == NULL)
    return counters;
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&st}", &name, &value))
    json_object_set_int_member (counters, name, (gint64) value);
  return counters;
}

/**
 * amps_ctl_bus_answer_details:
 * @answer: of GetAll() of the properties
 *
 * Returns: (transfer full): the same as of `/health/detailed`, as far as it is known here, and
 *   "workload" and "counters"
 */
JsonNode *
amps_ctl_bus_answer_details (GVariant *answer)
{
  g_autoptr (GVariantDict) properties = open_properties (answer);
  g_autofree char *obstacles = join_obstacles (properties);
  JsonObject *details = json_object_new ();
  JsonObject *broker = json_object_new ();
  JsonObject *jobs = json_object_new ();
  JsonObject *config = json_object_new ();

  set_string (details, "version", properties, "Version");
  set_string (details, "state", properties, "State");
  json_object_set_boolean_member (details, "ready", *obstacles == '\0');
  set_string (broker, "state", properties, "BrokerState");
  json_object_set_object_member (details, "broker", broker);
  set_string (details, "workload", properties, "WorkloadState");
  set_number (jobs, "count", properties, "JobsInFlight");
  set_number (jobs, "max_concurrency", properties, "MaxConcurrency");
  json_object_set_object_member (details, "jobs", jobs);
  json_object_set_object_member (details, "counters", make_counters (properties));
  set_string (config, "worker_id", properties, "WorkerId");
  set_string (config, "broker_subject", properties, "Subject");
  json_object_set_object_member (details, "config", config);
  return amps_ctl_json_take_object (details);
}

/**
 * amps_ctl_bus_answer_ready:
 * @answer: of GetAll() of the properties
 *
 * Returns: (transfer full): the same as of `/readyz`
 */
JsonNode *
amps_ctl_bus_answer_ready (GVariant *answer)
{
  g_autoptr (GVariantDict) properties = open_properties (answer);
  g_autofree char *obstacles = join_obstacles (properties);
  JsonObject *ready = json_object_new ();

  json_object_set_string_member (ready, "status", *obstacles == '\0' ? "ready" : "not ready");
  if (*obstacles != '\0')
    json_object_set_string_member (ready, "details", obstacles);
  return amps_ctl_json_take_object (ready);
}

static JsonObject *
make_job (GVariant *values)
{
  g_autoptr (GVariantDict) job = g_variant_dict_new (values);
  JsonObject *object = json_object_new ();
  guint64 since = 0, deadline = 0;

  set_string (object, "id", job, "Id");
  set_string (object, "source", job, "Source");
  set_string (object, "type", job, "Type");
  set_string (object, "state", job, "State");
  set_number (object, "attempt", job, "Attempt");
  g_variant_dict_lookup (job, "Since", "t", &since);
  set_time (object, "since", since);
  g_variant_dict_lookup (job, "Deadline", "t", &deadline);
  set_time (object, "deadline", deadline);
  set_string (object, "detail", job, "Detail");
  return object;
}

/**
 * amps_ctl_bus_answer_jobs:
 * @answer: of ListJobs()
 *
 * Returns: (transfer full): the same as of `/jobs`, but that "count" are those that are listed
 */
JsonNode *
amps_ctl_bus_answer_jobs (GVariant *answer)
{
  g_autoptr (GVariant) jobs = g_variant_get_child_value (answer, 0);
  JsonArray *array = json_array_new ();
  JsonObject *object = json_object_new ();

  for (gsize i = 0; i < g_variant_n_children (jobs); i++)
    {
      g_autoptr (GVariant) job = g_variant_get_child_value (jobs, i);

      json_array_add_object_element (array, make_job (job));
    }

  json_object_set_int_member (object, "count", json_array_get_length (array));
  json_object_set_array_member (object, "jobs", array);
  return amps_ctl_json_take_object (object);
}

/**
 * amps_ctl_bus_answer_deadline:
 * @answer: of Heartbeat()
 *
 * Returns: (transfer full): the same as of `/heartbeat`
 */
JsonNode *
amps_ctl_bus_answer_deadline (GVariant *answer)
{
  JsonObject *object = json_object_new ();
  guint64 deadline;

  g_variant_get (answer, "(t)", &deadline);
  set_time (object, "deadline", deadline);
  return amps_ctl_json_take_object (object);
}

/**
 * amps_ctl_bus_answer_nothing:
 * @answer: of a method that returns nothing
 *
 * Returns: (transfer full): null
 */
JsonNode *
amps_ctl_bus_answer_nothing (GVariant *answer G_GNUC_UNUSED)
{
  return json_node_new (JSON_NODE_NULL);
}
