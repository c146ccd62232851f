/* SPDX-License-Identifier: MIT */
#include "server/amps-http-socket.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path in a folder that goes with the fixture. */
typedef struct {
  char *folder;
  char *path;
  mode_t umask; /* of the process before */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("amps-socket-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "api.sock", NULL);
  fixture->umask = umask (022);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_remove (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
  umask (fixture->umask);
}

static AmpsHttpSocket *
listen_at (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  AmpsHttpSocket *socket = amps_http_socket_new_for_path (fixture->path, 0660, &error);

  g_assert_no_error (error);
  return socket;
}

static void
assert_refused (const char *path, int code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (amps_http_socket_new_for_path (path, 0660, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, message));
}

/* Without AMPS: a socket of that type, bound to the path, and listening if it can. */
static GSocket *
bind_other (Fixture *fixture, GSocketType type, gboolean listens)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (fixture->path);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_UNIX, type, G_SOCKET_PROTOCOL_DEFAULT, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, address, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (listens, ==, listens && g_socket_listen (socket, NULL));
  return socket;
}

static GSocket *
connect_to (Fixture *fixture)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (fixture->path);
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_connect (socket, address, NULL, NULL))
    g_clear_object (&socket);
  return socket;
}

static ino_t
get_inode (Fixture *fixture)
{
  struct stat file;

  return lstat (fixture->path, &file) == 0 ? file.st_ino : 0;
}

static gboolean
on_incoming (GSocket *listening, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  GSocket **accepted = user_data;

  *accepted = g_socket_accept (listening, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* Each of them is as it was set, whatever the umask, which stays as it was. */
static void
test_mode (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const mode_t modes[] = { 0600, 0660, 0666, 0777, 0200, 0620 };
  static const mode_t umasks[] = { 0, 022, 077, 0777 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (modes) * G_N_ELEMENTS (umasks); i++)
    {
      mode_t mode = modes[i % G_N_ELEMENTS (modes)];
      mode_t mask = umasks[i / G_N_ELEMENTS (modes)];
      g_autoptr (AmpsHttpSocket) socket = NULL;
      struct stat file;

      umask (mask);
      socket = amps_http_socket_new_for_path (fixture->path, mode, NULL);
      g_assert_nonnull (socket);
      g_assert_cmpint (lstat (fixture->path, &file), ==, 0);
      g_assert_cmpuint (file.st_mode, ==, S_IFSOCK | mode);
      g_assert_cmpuint (umask (022), ==, mask);
    }
}

static void
test_incoming (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsHttpSocket) socket = listen_at (fixture);
  g_autoptr (GSocket) client = connect_to (fixture);
  g_autoptr (GSocket) accepted = NULL;

  g_assert_nonnull (client);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (accepted);

  amps_http_socket_start (socket, on_incoming, &accepted);
  amps_http_socket_start (socket, on_incoming, &accepted);
  while (accepted == NULL)
    g_main_context_iteration (NULL, TRUE);

  g_clear_object (&accepted);
  amps_http_socket_stop (socket);
  g_object_unref (client);
  client = connect_to (fixture);
  g_assert_nonnull (client);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (accepted);
  g_assert_cmpuint (amps_http_socket_get_port (socket), ==, 0);
}

static void
test_port (void)
{
  g_autoptr (AmpsHttpSocket) socket = amps_http_socket_new_for_port (0, NULL);
  guint16 port = amps_http_socket_get_port (socket);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (port, !=, 0);
  g_assert_null (amps_http_socket_new_for_port (port, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
}

static void
test_stale (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsHttpSocket) socket = NULL;
  g_autoptr (GSocket) client = NULL;

  g_object_unref (bind_other (fixture, G_SOCKET_TYPE_STREAM, TRUE));
  g_assert_cmpuint (get_inode (fixture), !=, 0);
  socket = listen_at (fixture);
  client = connect_to (fixture);
  g_assert_nonnull (client);
}

static void
test_in_use (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) other G_GNUC_UNUSED = bind_other (fixture, G_SOCKET_TYPE_STREAM, TRUE);
  ino_t inode = get_inode (fixture);
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func (g_object_unref);
  GSocket *client;

  assert_refused (fixture->path, G_IO_ERROR_ADDRESS_IN_USE, "another process listens there");
  /* Until there is no place in its backlog. */
  while ((client = connect_to (fixture)) != NULL)
    g_ptr_array_add (clients, client);
  assert_refused (fixture->path, G_IO_ERROR_ADDRESS_IN_USE, "another process listens there");
  g_assert_cmpuint (get_inode (fixture), ==, inode);
}

/* By AMPS itself, twice in a process. */
static void
test_in_use_by_itself (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsHttpSocket) socket G_GNUC_UNUSED = listen_at (fixture);

  assert_refused (fixture->path, G_IO_ERROR_ADDRESS_IN_USE, "another process listens there");
  g_assert_cmpuint (get_inode (fixture), !=, 0);
}

static void
test_of_another_type (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) other G_GNUC_UNUSED = bind_other (fixture, G_SOCKET_TYPE_DATAGRAM, FALSE);
  ino_t inode = get_inode (fixture);

  assert_refused (fixture->path, G_IO_ERROR_FAILED, "cannot tell whether");
  g_assert_cmpuint (get_inode (fixture), ==, inode);
}

/* A file, a folder and a link: even one that leads to a stale socket. */
static void
test_no_socket (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *problem = "a file that is not a socket, and AMPS does not remove it";
  g_autofree char *target = g_strconcat (fixture->path, ".old", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (fixture->path, "mine", -1, NULL));
  assert_refused (fixture->path, G_IO_ERROR_EXISTS, problem);
  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "mine");
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);

  g_assert_cmpint (g_mkdir (fixture->path, 0700), ==, 0);
  assert_refused (fixture->path, G_IO_ERROR_EXISTS, problem);
  g_assert_cmpint (g_rmdir (fixture->path), ==, 0);

  g_object_unref (bind_other (fixture, G_SOCKET_TYPE_STREAM, TRUE));
  g_assert_cmpint (g_rename (fixture->path, target), ==, 0);
  g_assert_cmpint (symlink (target, fixture->path), ==, 0);
  assert_refused (fixture->path, G_IO_ERROR_EXISTS, problem);
  g_assert_cmpint (g_unlink (target), ==, 0);
}

static void
test_bad_folder (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *missing = g_build_filename (fixture->folder, "no", "api.sock", NULL);
  g_autofree char *below = g_build_filename (fixture->path, "api.sock", NULL);

  assert_refused (missing, G_IO_ERROR_NOT_FOUND, "cannot open the folder ");
  g_assert_true (g_file_set_contents (fixture->path, "", -1, NULL));
  assert_refused (below, G_IO_ERROR_NOT_DIRECTORY, "cannot open the folder ");
}

static void
test_removed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  amps_http_socket_free (listen_at (fixture));
  g_assert_cmpuint (get_inode (fixture), ==, 0);
}

/* Somebody took it away, and perhaps put something of their own there. */
static void
test_not_removed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  AmpsHttpSocket *socket = listen_at (fixture);
  g_autoptr (GSocket) other = NULL;
  ino_t inode;

  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  amps_http_socket_free (socket);

  socket = listen_at (fixture);
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  other = bind_other (fixture, G_SOCKET_TYPE_STREAM, TRUE);
  inode = get_inode (fixture);
  amps_http_socket_free (socket);
  g_assert_cmpuint (get_inode (fixture), ==, inode);
}

static gpointer
listen_in_thread (gpointer data)
{
  return amps_http_socket_new_for_path (data, 0660, NULL);
}

/* Of many that replace a stale one at once, one does, and it is the one that is there. */
static void
test_race (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  for (int round = 0; round < 50; round++)
    {
      GThread *threads[4];
      g_autoptr (AmpsHttpSocket) winner = NULL;
      g_autoptr (GSocket) client = NULL;

      g_object_unref (bind_other (fixture, G_SOCKET_TYPE_STREAM, TRUE));
      for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("listen", listen_in_thread, fixture->path);
      for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
        {
          AmpsHttpSocket *socket = g_thread_join (threads[i]);

          g_assert_true (socket == NULL || winner == NULL);
          winner = socket != NULL ? socket : winner;
        }
      g_assert_nonnull (winner);
      client = connect_to (fixture);
      g_assert_nonnull (client);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/http-socket/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("mode", test_mode);
  ADD ("incoming", test_incoming);
  ADD ("stale", test_stale);
  ADD ("in-use", test_in_use);
  ADD ("in-use-by-itself", test_in_use_by_itself);
  ADD ("of-another-type", test_of_another_type);
  ADD ("no-socket", test_no_socket);
  ADD ("bad-folder", test_bad_folder);
  ADD ("removed", test_removed);
  ADD ("not-removed", test_not_removed);
  ADD ("race", test_race);
  g_test_add_func ("/http-socket/port", test_port);
  return g_test_run ();
}
