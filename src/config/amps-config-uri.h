/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config-table.h"

G_BEGIN_DECLS

gboolean amps_config_uri_check (const char *uri, const char *like, GError **error);
gboolean amps_config_uri_parse_address (const AmpsVariableInfo *info, const char *text,
                                        gint64 *number, GError **error);
gboolean amps_config_uri_parse_base (const AmpsVariableInfo *info, const char *text, gint64 *number,
                                     GError **error);
gboolean amps_config_uri_parse_sentry (const AmpsVariableInfo *info, const char *text,
                                       gint64 *number, GError **error);
gboolean amps_config_uri_parse_collector (const AmpsVariableInfo *info, const char *text,
                                          gint64 *number, GError **error);
char *amps_config_uri_normalise (AmpsVariableKind kind, const char *text);
char *amps_config_uri_format_api (gint64 port, const char *socket_path);
char *amps_config_uri_redact (const char *text);
char **amps_split_uris (const char *text);

G_END_DECLS
