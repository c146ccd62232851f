/* SPDX-License-Identifier: MIT */
#include "amps-access.h"

#include "core/amps-error.h"

#include <string.h>

#define BEARER "Bearer "

/* Takes as long for a wrong token as for the right one, so that its bytes
 * cannot be found one by one. Its length is no secret. */
static gboolean
is_equal_in_constant_time (const char *given, const char *token)
{
  size_t given_length = strlen (given);
  size_t token_length = strlen (token);
  unsigned char difference = given_length == token_length ? 0 : 1;

  for (size_t i = 0; i < given_length; i++)
    difference |= (unsigned char) (given[i] ^ token[i % token_length]);
  return difference == 0;
}

static gboolean
has_token (SoupMessageHeaders *headers, const char *token)
{
  const char *authorization = soup_message_headers_get_one (headers, "Authorization");

  return authorization != NULL &&
         g_ascii_strncasecmp (authorization, BEARER, strlen (BEARER)) == 0 &&
         is_equal_in_constant_time (authorization + strlen (BEARER), token);
}

/* IPv4 through an IPv6 socket comes as ::ffff:a.b.c.d. */
static GInetAddress *
unmap (GInetAddress *address)
{
  static const guint8 prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
      memcmp (bytes, prefix, sizeof prefix) == 0)
    return g_inet_address_new_from_bytes (bytes + sizeof prefix, G_SOCKET_FAMILY_IPV4);
  return g_object_ref (address);
}

static GInetAddress *
get_address (GSocketAddress *address)
{
  return unmap (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/**
 * amps_access_is_local:
 * @remote: the peer's end of a connection
 * @local: AMPS's own end
 *
 * Returns: whether the peer is on this host, or in this pod: on loopback or on
 *   the very address that it reached
 */
gboolean
amps_access_is_local (GSocketAddress *remote, GSocketAddress *local)
{
  if (!G_IS_INET_SOCKET_ADDRESS (remote) || !G_IS_INET_SOCKET_ADDRESS (local))
    return FALSE;

  g_autoptr (GInetAddress) peer = get_address (remote);
  g_autoptr (GInetAddress) own = get_address (local);

  return g_inet_address_get_is_loopback (peer) || g_inet_address_equal (peer, own);
}

/**
 * amps_access_is_own_origin:
 * @origin: an `Origin` header
 * @host: (nullable): the `Host` header beside it
 *
 * Tells whether a browser sends this from a page of AMPS itself. A name other
 * than localhost proves nothing: whoever owns it can let it point here.
 *
 * Returns: whether that is so
 */
gboolean
amps_access_is_own_origin (const char *origin, const char *host)
{
  g_autoptr (GUri) uri = g_uri_parse (origin, G_URI_FLAGS_NONE, NULL);

  if (uri == NULL || host == NULL || g_uri_get_host (uri) == NULL)
    return FALSE;

  const char *authority = strstr (origin, "://");

  return authority != NULL && g_ascii_strcasecmp (authority + strlen ("://"), host) == 0 &&
         (g_ascii_strcasecmp (g_uri_get_host (uri), "localhost") == 0 ||
          g_hostname_is_ip_address (g_uri_get_host (uri)));
}

static gboolean
forbid (GError **error, const char *why)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_FORBIDDEN,
               "%s; set API_TOKEN, or API_ALLOW_REMOTE=true if the network can be trusted", why);
  return FALSE;
}

/**
 * amps_access_check:
 * @config: the settings
 * @message: a request to the job API
 * @error: return location: %AMPS_ERROR_UNAUTHORIZED or %AMPS_ERROR_FORBIDDEN
 *
 * Returns: whether who sent it may use the job API
 */
gboolean
amps_access_check (AmpsConfig *config, SoupServerMessage *message, GError **error)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *token = amps_config_get_api_token (config);

  if (token != NULL)
    {
      if (has_token (headers, token))
        return TRUE;
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_UNAUTHORIZED,
                           "send “Authorization: Bearer” with the API_TOKEN of this AMPS");
      return FALSE;
    }

  if (amps_config_get_api_allow_remote (config))
    return TRUE;
  if (!amps_access_is_local (soup_server_message_get_remote_address (message),
                             soup_server_message_get_local_address (message)))
    return forbid (error, "the job API serves only this host");

  const char *origin = soup_message_headers_get_one (headers, "Origin");

  if (origin != NULL &&
      !amps_access_is_own_origin (origin, soup_message_headers_get_one (headers, "Host")))
    return forbid (error, "the job API serves no page of another origin");
  return TRUE;
}
