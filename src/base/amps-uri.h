/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsUriFault:
 * @AMPS_URI_CLEAR: none; each part of it can be told from the others
 * @AMPS_URI_BAD_PORT: the port is not from 1 to 65535
 * @AMPS_URI_UNCLEAR: it may be read in more than one way, so that what looks
 *   like a host may be part of a password
 *
 * What is wrong with a URI, see [func@Amps.uri_check].
 */
typedef enum {
  AMPS_URI_CLEAR,
  AMPS_URI_BAD_PORT,
  AMPS_URI_UNCLEAR,
} AmpsUriFault;

AmpsUriFault amps_uri_check (const char *uri);
char *amps_uri_hide (const char *uri);
char *amps_uri_redact (const char *uri);
char *amps_uri_normalise (const char *uri);

G_END_DECLS
