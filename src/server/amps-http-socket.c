/* SPDX-License-Identifier: MIT */
#include "amps-http-socket.h"

#include "base/amps-log.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 1024

/* How often, and after how many µs each, the lock of another AMPS is tried again. */
#define LOCK_TRIES 100
#define LOCK_INTERVAL 10000

struct _AmpsHttpSocket {
  GSocket *socket; /* (owned) */
  GSource *source; /* (owned) (nullable) while connections are taken */
  char *path;      /* (owned) (nullable): of its file */
  dev_t device;    /* by which, with the inode, that file is known again */
  ino_t inode;
};

G_GNUC_PRINTF (3, 4)
static gboolean
http_socket_fail (GError **error, int saved_errno, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "%s: %s", what,
               g_strerror (saved_errno));
  return FALSE;
}

static gboolean
listen_at (GSocket *socket, GSocketAddress *address, GError **error)
{
  g_socket_set_listen_backlog (socket, BACKLOG);
  g_socket_set_blocking (socket, FALSE);
  return g_socket_bind (socket, address, TRUE, error) && g_socket_listen (socket, error);
}

/* Takes @socket. */
static AmpsHttpSocket *
wrap (GSocket *socket)
{
  AmpsHttpSocket *self = g_new0 (AmpsHttpSocket, 1);

  self->socket = socket;
  return self;
}

/* Both families on one socket; IPv4 alone where the system has no IPv6. */
static AmpsHttpSocket *
listen_on (GSocketFamily family, guint16 port, GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  g_autoptr (GInetAddress) any = g_inet_address_new_any (family);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, port);

  if (socket == NULL)
    return NULL;
  if (family == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, FALSE, NULL);

  return listen_at (socket, address, error) ? wrap (g_steal_pointer (&socket)) : NULL;
}

/**
 * amps_http_socket_new_for_port:
 * @port: a TCP port; 0 for any
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a socket that listens there on all interfaces,
 *   and does not block
 */
AmpsHttpSocket *
amps_http_socket_new_for_port (guint16 port, GError **error)
{
  g_autoptr (GError) ipv6_error = NULL;
  AmpsHttpSocket *self = listen_on (G_SOCKET_FAMILY_IPV6, port, &ipv6_error);

  if (self == NULL && !g_error_matches (ipv6_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    return listen_on (G_SOCKET_FAMILY_IPV4, port, error);
  if (self == NULL)
    g_propagate_error (error, g_steal_pointer (&ipv6_error));
  return self;
}

/* Of two AMPS that start at once, one could take the socket of the other for a stale one
 * before that listens. Returns: a descriptor that holds the lock, or -1 */
static int
lock_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int saved_errno = errno;

  for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++)
    {
      if (flock (fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
      saved_errno = errno;
      if (saved_errno != EWOULDBLOCK)
        break;
      g_usleep (LOCK_INTERVAL);
    }

  http_socket_fail (error, saved_errno, "cannot %s the folder %s", fd < 0 ? "open" : "lock",
                    folder);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Whether nobody listens there any more. */
static gboolean
is_stale (GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) probe =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  g_autoptr (GError) refusal = NULL;

  if (probe == NULL)
    return FALSE;
  g_socket_set_blocking (probe, FALSE);
  /* It would block if the other's backlog is full. */
  if (g_socket_connect (probe, address, NULL, &refusal) ||
      g_error_matches (refusal, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                         "another process listens there");
  else if (g_error_matches (refusal, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return TRUE;
  else
    g_propagate_prefixed_error (error, g_steal_pointer (&refusal),
                                "cannot tell whether another process listens there: ");
  return FALSE;
}

static gboolean
remove_stale (GSocketAddress *address, GError **error)
{
  const char *path = g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address));
  struct stat file;

  if (lstat (path, &file) != 0)
    return errno == ENOENT || http_socket_fail (error, errno, "cannot look for a stale socket");

  if (!S_ISSOCK (file.st_mode))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                           "there is a file that is not a socket, and AMPS does not remove it");
      return FALSE;
    }
  if (!is_stale (address, error))
    return FALSE;
  return unlink (path) == 0 || http_socket_fail (error, errno, "cannot remove a stale socket");
}

/* The file gets its permissions from the umask as it is made: there is no moment at which
 * they are wider. Nothing else of AMPS makes files yet that the umask would be wrong for. */
static gboolean
listen_with_mode (GSocket *socket, GSocketAddress *address, mode_t mode, GError **error)
{
  mode_t before = umask (~mode & 0777);
  gboolean listens = listen_at (socket, address, error);

  umask (before);
  return listens;
}

static void
remember_file (AmpsHttpSocket *self, const char *path)
{
  struct stat file;

  if (lstat (path, &file) != 0)
    return;
  self->path = g_strdup (path);
  self->device = file.st_dev;
  self->inode = file.st_ino;
}

/**
 * amps_http_socket_new_for_path:
 * @path: where to listen; at most 107 bytes
 * @mode: the permissions of the file: who may write it may connect
 * @error: return location: %G_IO_ERROR_ADDRESS_IN_USE if another process listens there,
 *   %G_IO_ERROR_EXISTS if there is a file that is not a socket
 *
 * Replaces a socket at which nobody listens any more. To be called at start, while there
 * are no other threads that make files: it changes the umask for a moment, and waits up to
 * a second for another AMPS that does the same.
 *
 * Returns: (transfer full) (nullable): a unix socket that listens there, and does not
 *   block; its file goes with it
 */
AmpsHttpSocket *
amps_http_socket_new_for_path (const char *path, mode_t mode, GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  AmpsHttpSocket *self = NULL;
  int lock = socket != NULL ? lock_folder (path, error) : -1;

  if (lock < 0)
    return NULL;
  if (remove_stale (address, error) && listen_with_mode (socket, address, mode, error))
    {
      self = wrap (g_steal_pointer (&socket));
      remember_file (self, path);
    }

  close (lock);
  return self;
}

/* Somebody may have replaced it; while the socket is open, no other file has its inode. */
static void
remove_own_file (AmpsHttpSocket *self)
{
  struct stat file;

  if (self->path == NULL || lstat (self->path, &file) != 0 || file.st_dev != self->device ||
      file.st_ino != self->inode)
    return;
  if (unlink (self->path) != 0)
    amps_log (WARNING, SOCKET_NOT_REMOVED, "Cannot remove %s: %s", self->path, g_strerror (errno));
}

/**
 * amps_http_socket_free:
 * @self: (transfer full): a socket
 *
 * Closes it. The file of a unix socket is removed, if it is still its own.
 */
void
amps_http_socket_free (AmpsHttpSocket *self)
{
  amps_http_socket_stop (self);
  remove_own_file (self);
  g_socket_close (self->socket, NULL);
  g_object_unref (self->socket);
  g_free (self->path);
  g_free (self);
}

/**
 * amps_http_socket_get_port:
 * @self: a socket
 *
 * Returns: its TCP port; 0 of a unix socket
 */
guint16
amps_http_socket_get_port (AmpsHttpSocket *self)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (self->socket, NULL);

  return G_IS_INET_SOCKET_ADDRESS (address)
             ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address))
             : 0;
}

/**
 * amps_http_socket_start:
 * @self: a socket
 * @incoming: (scope forever): called with the GSocket to accept connections from
 * @user_data: passed to @incoming
 *
 * Watches for connections, until [method@Amps.HttpSocket.stop].
 */
void
amps_http_socket_start (AmpsHttpSocket *self, GSocketSourceFunc incoming, gpointer user_data)
{
  if (self->source != NULL)
    return;

  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_static_name (self->source, "amps-http-socket");
  g_source_set_callback (self->source, G_SOURCE_FUNC (incoming), user_data, NULL);
  g_source_attach (self->source, NULL);
}

/**
 * amps_http_socket_stop:
 * @self: a socket
 *
 * Lets connections wait in the backlog.
 */
void
amps_http_socket_stop (AmpsHttpSocket *self)
{
  if (self->source == NULL)
    return;

  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

/**
 * amps_http_socket_create_silent:
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a socket at which nobody ever connects: one end of
 *   a pair, which keeps the other
 */
GSocket *
amps_http_socket_create_silent (GError **error)
{
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
    {
      http_socket_fail (error, errno, "cannot make a pair of sockets");
      return NULL;
    }

  g_autoptr (GSocket) silent = g_socket_new_from_fd (fds[0], error);
  g_autoptr (GSocket) other = g_socket_new_from_fd (fds[1], silent != NULL ? error : NULL);

  if (silent == NULL || other == NULL)
    return NULL;
  g_object_set_data_full (G_OBJECT (silent), "other-end", g_steal_pointer (&other), g_object_unref);
  return g_steal_pointer (&silent);
}
