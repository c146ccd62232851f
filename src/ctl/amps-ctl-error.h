/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sysexits.h>

G_BEGIN_DECLS

/**
 * AmpsCtlError:
 * @AMPS_CTL_ERROR_FAILED: the answer is no: there is no such job, AMPS is not ready, …
 * @AMPS_CTL_ERROR_USAGE: the command line makes no sense
 * @AMPS_CTL_ERROR_BAD_DATA: what is in the input makes no sense, an event above all
 * @AMPS_CTL_ERROR_NO_INPUT: a file can't be read
 * @AMPS_CTL_ERROR_UNREACHABLE: there is no AMPS, or no broker, or it does not answer in time
 * @AMPS_CTL_ERROR_OUTPUT: what was to be shown could not be written
 * @AMPS_CTL_ERROR_TRY_AGAIN: not now
 * @AMPS_CTL_ERROR_NOT_ALLOWED: the token is wrong, or the user may not do this
 * @AMPS_CTL_ERROR_SETTINGS: a setting is wrong or missing
 *
 * Why a command failed. The code is the exit status; those over 63 are of sysexits.h.
 */
typedef enum {
  AMPS_CTL_ERROR_FAILED = 1,
  AMPS_CTL_ERROR_USAGE = EX_USAGE,
  AMPS_CTL_ERROR_BAD_DATA = EX_DATAERR,
  AMPS_CTL_ERROR_NO_INPUT = EX_NOINPUT,
  AMPS_CTL_ERROR_UNREACHABLE = EX_UNAVAILABLE,
  AMPS_CTL_ERROR_OUTPUT = EX_IOERR,
  AMPS_CTL_ERROR_TRY_AGAIN = EX_TEMPFAIL,
  AMPS_CTL_ERROR_NOT_ALLOWED = EX_NOPERM,
  AMPS_CTL_ERROR_SETTINGS = EX_CONFIG,
} AmpsCtlError;

#define AMPS_CTL_ERROR (amps_ctl_error_quark ())
GQuark amps_ctl_error_quark (void);

int amps_ctl_error_get_exit_status (const GError *error);

G_END_DECLS
