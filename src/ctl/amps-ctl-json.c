/* SPDX-License-Identifier: MIT */
#include "amps-ctl-json.h"

/* Answers may come from another version of AMPS, or from something else: a member that is not
 * there, or of another type, is no reason to fail. */

static JsonNode *
get_value (JsonObject *object, const char *name, GType type)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_VALUE (member) &&
                 json_node_get_value_type (member) == type
             ? member
             : NULL;
}

/**
 * amps_ctl_json_take_object:
 * @object: (transfer full): an object
 *
 * Returns: (transfer full): a node that holds it
 */
JsonNode *
amps_ctl_json_take_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

/**
 * amps_ctl_json_get_object:
 * @object: (nullable): an object
 * @name: of a member
 *
 * Returns: (transfer none) (nullable): the object that the member is
 */
JsonObject *
amps_ctl_json_get_object (JsonObject *object, const char *name)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_OBJECT (member) ? json_node_get_object (member) : NULL;
}

/**
 * amps_ctl_json_get_text:
 * @object: (nullable): an object
 * @name: of a member
 *
 * Returns: (transfer none) (nullable): the text that the member is
 */
const char *
amps_ctl_json_get_text (JsonObject *object, const char *name)
{
  JsonNode *member = get_value (object, name, G_TYPE_STRING);

  return member != NULL ? json_node_get_string (member) : NULL;
}

/**
 * amps_ctl_json_get_number:
 * @object: (nullable): an object
 * @name: of a member
 * @fallback: if it is none
 *
 * Returns: the whole number that the member is
 */
gint64
amps_ctl_json_get_number (JsonObject *object, const char *name, gint64 fallback)
{
  JsonNode *member = get_value (object, name, G_TYPE_INT64);

  return member != NULL ? json_node_get_int (member) : fallback;
}

/**
 * amps_ctl_json_get_time:
 * @object: (nullable): an object
 * @name: of a member
 *
 * Returns: µs since 1970 of the RFC 3339 text that the member is; 0 if it is none
 */
gint64
amps_ctl_json_get_time (JsonObject *object, const char *name)
{
  const char *text = amps_ctl_json_get_text (object, name);
  g_autoptr (GDateTime) time = text != NULL ? g_date_time_new_from_iso8601 (text, NULL) : NULL;

  return time != NULL
             ? g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time)
             : 0;
}
