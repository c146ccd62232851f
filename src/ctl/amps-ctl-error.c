/* SPDX-License-Identifier: MIT */
#include "amps-ctl-error.h"

#include "base/amps-error.h"

G_DEFINE_QUARK (amps - ctl - error, amps_ctl_error)

static AmpsCtlError
from_amps_error (AmpsError code)
{
  switch (code)
    {
    case AMPS_ERROR_INVALID_EVENT:
    case AMPS_ERROR_TOO_LARGE:
      return AMPS_CTL_ERROR_BAD_DATA;

    case AMPS_ERROR_UNAUTHORIZED:
    case AMPS_ERROR_FORBIDDEN:
    case AMPS_ERROR_NOT_PERMITTED:
      return AMPS_CTL_ERROR_NOT_ALLOWED;

    case AMPS_ERROR_BUSY:
    case AMPS_ERROR_UNAVAILABLE:
    case AMPS_ERROR_DETACHED:
    case AMPS_ERROR_EXHAUSTED:
      return AMPS_CTL_ERROR_TRY_AGAIN;

    case AMPS_ERROR_INVALID_ARGUMENT:
    case AMPS_ERROR_NOT_FOUND:
    case AMPS_ERROR_UNROUTABLE:
    case AMPS_ERROR_METHOD_NOT_ALLOWED:
    case AMPS_ERROR_CONFLICT:
    case AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE:
    case AMPS_ERROR_FAILED:
    default:
      return AMPS_CTL_ERROR_FAILED;
    }
}

/**
 * amps_ctl_error_get_exit_status:
 * @error: why a command failed, of any domain
 *
 * Returns: what ampsctl exits with
 */
int
amps_ctl_error_get_exit_status (const GError *error)
{
  if (error->domain == AMPS_CTL_ERROR)
    return error->code;
  if (error->domain == AMPS_ERROR)
    return (int) from_amps_error ((AmpsError) error->code);
  return AMPS_CTL_ERROR_FAILED;
}
