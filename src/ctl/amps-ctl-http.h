/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-api.h"

G_BEGIN_DECLS

/**
 * AmpsCtlHttp:
 *
 * The way to an AMPS by its job API.
 */
#define AMPS_CTL_TYPE_HTTP (amps_ctl_http_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlHttp, amps_ctl_http, AMPS_CTL, HTTP, GObject)

AmpsCtlApi *amps_ctl_http_new (const char *url, const char *token, GError **error);
AmpsCtlApi *amps_ctl_http_new_for_socket (const char *path, const char *token);

char *amps_ctl_http_dup_host (AmpsCtlHttp *self);

G_END_DECLS
