/* SPDX-License-Identifier: MIT */
#include "amps-error.h"

#define DBUS_ERROR(name) "io.github.hotellistat.Amps1.Error." name

static const AmpsErrorInfo infos[] = {
  [AMPS_ERROR_INVALID_ARGUMENT] = { DBUS_ERROR ("InvalidArgument"), 400, "Invalid request" },
  [AMPS_ERROR_INVALID_EVENT] = { DBUS_ERROR ("InvalidEvent"), 400, "Not a CloudEvent" },
  [AMPS_ERROR_UNAUTHORIZED] = { DBUS_ERROR ("Unauthorized"), 401, "Token required" },
  [AMPS_ERROR_FORBIDDEN] = { DBUS_ERROR ("Forbidden"), 403, "Forbidden" },
  [AMPS_ERROR_NOT_FOUND] = { DBUS_ERROR ("NotFound"), 404, "Not found" },
  [AMPS_ERROR_UNROUTABLE] = { DBUS_ERROR ("Unroutable"), 404, "No queue takes this event" },
  [AMPS_ERROR_METHOD_NOT_ALLOWED] = { DBUS_ERROR ("MethodNotAllowed"), 405, "Method not allowed" },
  [AMPS_ERROR_CONFLICT] = { DBUS_ERROR ("Conflict"), 409, "Already decided otherwise" },
  [AMPS_ERROR_TOO_LARGE] = { DBUS_ERROR ("TooLarge"), 413, "Body too large" },
  [AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE] = { DBUS_ERROR ("UnsupportedMediaType"), 415,
                                          "Unsupported encoding" },
  [AMPS_ERROR_BUSY] = { DBUS_ERROR ("Busy"), 503, "Being decided" },
  [AMPS_ERROR_UNAVAILABLE] = { DBUS_ERROR ("Unavailable"), 503, "Broker unavailable" },
  [AMPS_ERROR_NOT_PERMITTED] = { DBUS_ERROR ("NotPermitted"), 403, "Refused by the broker" },
  [AMPS_ERROR_DETACHED] = { DBUS_ERROR ("Detached"), 503, "Connection lost" },
  [AMPS_ERROR_EXHAUSTED] = { DBUS_ERROR ("Exhausted"), 503, "Too much at once" },
  [AMPS_ERROR_FAILED] = { DBUS_ERROR ("Failed"), 500, "Internal error" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (infos) == AMPS_N_ERRORS);

/**
 * amps_error_quark:
 *
 * Callable from any thread: G_DEFINE_QUARK() would write without an atomic.
 *
 * Returns: the domain of these errors
 */
GQuark
amps_error_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_quark_from_static_string ("amps-error"));

  return (GQuark) quark;
}

/**
 * amps_error_get_info:
 * @code: an error code
 *
 * Callable from any thread.
 *
 * Returns: (transfer none): what @code is called on the wires
 */
const AmpsErrorInfo *
amps_error_get_info (AmpsError code)
{
  g_return_val_if_fail ((unsigned int) code < AMPS_N_ERRORS, &infos[AMPS_ERROR_FAILED]);
  return &infos[code];
}

/**
 * amps_error_find_info:
 * @error: an error of any domain
 *
 * Callable from any thread.
 *
 * Returns: (transfer none): what @error is called on the wires; of a foreign domain, as
 *   %AMPS_ERROR_FAILED
 */
const AmpsErrorInfo *
amps_error_find_info (const GError *error)
{
  return amps_error_get_info (error->domain == AMPS_ERROR ? (AmpsError) error->code
                                                          : AMPS_ERROR_FAILED);
}
