/* SPDX-License-Identifier: MIT */
#include "amps-access.h"

#include "base/amps-error.h"

#include <gio/gunixsocketaddress.h>
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

/**
 * amps_access_dup_address:
 * @address: an end of a TCP connection
 *
 * Returns: (transfer full): its address; IPv4 that came through an IPv6 socket as such
 */
GInetAddress *
amps_access_dup_address (GSocketAddress *address)
{
  return unmap (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/**
 * amps_access_is_local:
 * @remote: the peer's end of a connection
 * @local: AMPS's own end
 *
 * Returns: whether the peer is on this host, or in this pod: on a unix socket, on loopback
 *   or on the very address that it reached
 */
gboolean
amps_access_is_local (GSocketAddress *remote, GSocketAddress *local)
{
  if (G_IS_UNIX_SOCKET_ADDRESS (remote))
    return TRUE;
  if (!G_IS_INET_SOCKET_ADDRESS (remote) || !G_IS_INET_SOCKET_ADDRESS (local))
    return FALSE;

  g_autoptr (GInetAddress) peer = amps_access_dup_address (remote);
  g_autoptr (GInetAddress) own = amps_access_dup_address (local);

  return g_inet_address_get_is_loopback (peer) || g_inet_address_equal (peer, own);
}

/* Without the port; of an IPv6 address without the brackets, too (RFC 9110, section
 * 7.2). Returns: (nullable): NULL if @host is none */
static char *
dup_host_name (const char *host)
{
  const char *end = *host == '[' ? strchr (host, ']') : host + strcspn (host, ":");
  const char *port = end != NULL && *end == ']' ? end + 1 : end;
  const char *name = *host == '[' ? host + 1 : host;

  if (port == NULL || (*port != '\0' && *port != ':') || port[strspn (port, ":0123456789")] != '\0')
    return NULL;
  return g_strndup (name, (gsize) (end - name));
}

static gboolean
is_host_of (const char *name, const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);

  /* unix:/path has none. */
  return uri != NULL && g_uri_get_host (uri) != NULL &&
         g_ascii_strcasecmp (name, g_uri_get_host (uri)) == 0;
}

/**
 * amps_access_is_own_host:
 * @host: a `Host` header
 * @api_url: the base URL that the workload is told
 *
 * Tells whether @host is a name that nobody else can give to this host. A browser sends
 * what it asked the DNS for, and whoever owns a name can let it point here: then their
 * page and AMPS are of one origin.
 *
 * Returns: whether it is an address, localhost, the name of this host or that of
 *   @api_url
 */
gboolean
amps_access_is_own_host (const char *host, const char *api_url)
{
  g_autofree char *name = dup_host_name (host);

  return name != NULL &&
         (g_hostname_is_ip_address (name) || g_ascii_strcasecmp (name, "localhost") == 0 ||
          g_ascii_strcasecmp (name, g_get_host_name ()) == 0 || is_host_of (name, api_url));
}

/**
 * amps_access_is_own_site:
 * @site: a `Sec-Fetch-Site` header
 *
 * Tells whether a browser sends this for a page of AMPS itself, or because its user
 * asked for it (W3C Fetch Metadata, section 2.3).
 *
 * Returns: whether that is so
 */
gboolean
amps_access_is_own_site (const char *site)
{
  return strcmp (site, "same-origin") == 0 || strcmp (site, "none") == 0;
}

/**
 * amps_access_is_own_origin:
 * @origin: an `Origin` header
 * @host: (nullable): the `Host` header beside it
 *
 * Tells whether a browser sends this from a page of AMPS itself, if @host is its own.
 *
 * Returns: whether that is so
 */
gboolean
amps_access_is_own_origin (const char *origin, const char *host)
{
  const char *authority = strstr (origin, "://");

  return host != NULL && authority != NULL &&
         g_ascii_strcasecmp (authority + strlen ("://"), host) == 0;
}

static gboolean
forbid (GError **error, const char *why)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_FORBIDDEN,
               "%s; set API_TOKEN, or API_ALLOW_REMOTE=true if the network can be trusted", why);
  return FALSE;
}

/* A browser is on this host, too, and does what the pages of strangers tell it. */
static gboolean
check_browser (AmpsConfig *config, SoupMessageHeaders *headers, GError **error)
{
  const char *host = soup_message_headers_get_list (headers, "Host");
  const char *site = soup_message_headers_get_list (headers, "Sec-Fetch-Site");
  const char *origin = soup_message_headers_get_list (headers, "Origin");

  if (host != NULL && !amps_access_is_own_host (host, amps_config_get_api_url (config)))
    return forbid (error, "AMPS does not know this host name: call the job API by an address or as "
                          "localhost, or set API_URL to the name");
  if (site != NULL && !amps_access_is_own_site (site))
    return forbid (error, "the job API does not serve pages of other sites");
  if (origin != NULL && !amps_access_is_own_origin (origin, host))
    return forbid (error, "the job API does not serve pages of other origins");
  return TRUE;
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
  GSocketAddress *remote = soup_server_message_get_remote_address (message);
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
  if (!amps_access_is_local (remote, soup_server_message_get_local_address (message)))
    return forbid (error, "the job API serves only this host");
  /* No page can make a browser open a unix socket. */
  return G_IS_UNIX_SOCKET_ADDRESS (remote) || check_browser (config, headers, error);
}
