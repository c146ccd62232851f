/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"

#include "amps-ctl-bus.h"
#include "amps-ctl-error.h"
#include "amps-ctl-http.h"

#include <glib/gi18n.h>

static AmpsCtlApi *
create_http (AmpsCtlContext *context, GError **error)
{
  const AmpsCtlGeneral *general = amps_ctl_context_get_general (context);
  AmpsConfig *config = amps_ctl_context_get_config (context);
  const char *token = amps_config_get_api_token (config);
  const char *socket = general->socket;

  if (general->url != NULL && g_str_has_prefix (general->url, "unix:"))
    socket = general->url + strlen ("unix:");
  else if (general->url != NULL)
    return amps_ctl_http_new (general->url, token, error);

  if (socket == NULL)
    socket = amps_config_get_api_socket (config);
  if (socket != NULL)
    return amps_ctl_http_new_for_socket (socket, token);

  /* An address: a minimal container cannot look up any name. */
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u", amps_config_get_port (config));

  return amps_ctl_http_new (url, token, error);
}

static AmpsCtlApi *
create_bus (AmpsCtlContext *context, GError **error)
{
  const char *bus = amps_ctl_context_get_general (context)->bus;
  AmpsConfig *config = amps_ctl_context_get_config (context);

  return amps_ctl_bus_new (*bus != '\0' ? bus : amps_config_get_dbus_bus (config), error);
}

/**
 * amps_ctl_api_factory_create:
 * @context: the settings and options that say where it is
 * @error: return location: %AMPS_CTL_ERROR_USAGE or %AMPS_CTL_ERROR_UNREACHABLE
 *
 * Does not connect yet.
 *
 * Returns: (transfer full) (nullable): the way to an AMPS
 */
AmpsCtlApi *
amps_ctl_api_factory_create (AmpsCtlContext *context, GError **error)
{
  g_return_val_if_fail (AMPS_CTL_IS_CONTEXT (context), NULL);

  const AmpsCtlGeneral *general = amps_ctl_context_get_general (context);

  if ((general->url != NULL) + (general->socket != NULL) + (general->bus != NULL) > 1)
    {
      g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                           _ ("give only one of --url, --socket and --bus"));
      return NULL;
    }

  return general->bus != NULL ? create_bus (context, error) : create_http (context, error);
}
