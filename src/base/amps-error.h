/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsError:
 * @AMPS_ERROR_INVALID_ARGUMENT: a request or a setting makes no sense
 * @AMPS_ERROR_INVALID_EVENT: the bytes are not a CloudEvent; the message names the attribute
 * @AMPS_ERROR_UNAUTHORIZED: the API token is missing or wrong
 * @AMPS_ERROR_FORBIDDEN: the peer may not use the job API
 * @AMPS_ERROR_NOT_FOUND: no such job is in flight
 * @AMPS_ERROR_UNROUTABLE: no queue takes the published event
 * @AMPS_ERROR_METHOD_NOT_ALLOWED: the path exists, but not with this method
 * @AMPS_ERROR_CONFLICT: the job was already decided otherwise
 * @AMPS_ERROR_TOO_LARGE: over MAX_BODY_SIZE, or over what the broker takes
 * @AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE: the body is in a content encoding that AMPS can't read
 * @AMPS_ERROR_BUSY: another call is deciding the job right now
 * @AMPS_ERROR_UNAVAILABLE: the broker is away, blocked or slow; try again later
 * @AMPS_ERROR_NOT_PERMITTED: the broker refuses what AMPS asked for, for good (no permission,
 *   other type)
 * @AMPS_ERROR_DETACHED: the delivery belongs to a connection that has died
 * @AMPS_ERROR_EXHAUSTED: there is no room for more large requests now
 * @AMPS_ERROR_FAILED: anything else
 *
 * The one error domain of AMPS; see [func@Amps.Error.get_info] for what each
 * code is called on the wire.
 */
typedef enum {
  AMPS_ERROR_INVALID_ARGUMENT,
  AMPS_ERROR_INVALID_EVENT,
  AMPS_ERROR_UNAUTHORIZED,
  AMPS_ERROR_FORBIDDEN,
  AMPS_ERROR_NOT_FOUND,
  AMPS_ERROR_UNROUTABLE,
  AMPS_ERROR_METHOD_NOT_ALLOWED,
  AMPS_ERROR_CONFLICT,
  AMPS_ERROR_TOO_LARGE,
  AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE,
  AMPS_ERROR_BUSY,
  AMPS_ERROR_UNAVAILABLE,
  AMPS_ERROR_NOT_PERMITTED,
  AMPS_ERROR_DETACHED,
  AMPS_ERROR_EXHAUSTED,
  AMPS_ERROR_FAILED,
} AmpsError;
#define AMPS_N_ERRORS (AMPS_ERROR_FAILED + 1)

/**
 * AmpsErrorInfo:
 * @dbus_name: the D-Bus error name
 * @http_status: the status of an HTTP answer
 * @title: the `title` of an RFC 9457 problem
 *
 * What an [enum@Amps.Error] is called on each wire. This table alone decides it.
 */
typedef struct {
  const char *dbus_name;
  unsigned int http_status;
  const char *title;
} AmpsErrorInfo;

#define AMPS_ERROR (amps_error_quark ())
GQuark amps_error_quark (void);

const AmpsErrorInfo *amps_error_get_info (AmpsError code);
const AmpsErrorInfo *amps_error_find_info (const GError *error);

G_END_DECLS
