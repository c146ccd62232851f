/* SPDX-License-Identifier: MIT */
#include "amps-readiness.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_EVENTS 64

struct _AmpsReadiness {
  int epoll;           /* (owned) -1 if there are no descriptors left */
  GSource *source;     /* (owned) (nullable) */
  GHashTable *watched; /* (owned) of AmpsReadable (unowned), by their ids */
  unsigned int last_id;
};

struct _AmpsReadable {
  AmpsReadiness *readiness; /* (unowned) (nullable) while it is watched */
  unsigned int id;          /* never used again, unlike @fd */
  int fd;
  gboolean ready; /* until a read has found no more */
  gboolean ended; /* the other side has, or the connection broke: all reads find that */
};

typedef struct {
  GSource source;
  AmpsReadiness *readiness; /* (unowned) */
  gpointer tag;
} ReadinessSource;

static void
take_events (AmpsReadiness *self)
{
  struct epoll_event events[MAX_EVENTS];
  int n_events = epoll_wait (self->epoll, events, MAX_EVENTS, 0);

  for (int i = 0; i < n_events; i++)
    {
      AmpsReadable *readable =
          g_hash_table_lookup (self->watched, GUINT_TO_POINTER (events[i].data.u32));

      if (readable == NULL)
        continue;
      readable->ready = TRUE;
      readable->ended |= (events[i].events & ~(unsigned int) EPOLLIN) != 0;
    }
}

/* Those that were attached later are asked after this one, in the same turn. */
static gboolean
readiness_source_check (GSource *source)
{
  ReadinessSource *self = (ReadinessSource *) source;

  if (g_source_query_unix_fd (source, self->tag) != 0)
    take_events (self->readiness);
  return FALSE;
}

static gboolean
readiness_source_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback G_GNUC_UNUSED,
                           gpointer user_data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs readiness_source_funcs = { .check = readiness_source_check,
                                               .dispatch = readiness_source_dispatch };

/**
 * amps_readiness_new:
 *
 * In the main context.
 *
 * Returns: (transfer full): watches nothing yet; and never does if there are no
 *   descriptors left
 */
AmpsReadiness *
amps_readiness_new (void)
{
  AmpsReadiness *self = g_new0 (AmpsReadiness, 1);

  self->watched = g_hash_table_new (NULL, NULL);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll < 0)
    return self;

  self->source = g_source_new (&readiness_source_funcs, sizeof (ReadinessSource));
  ((ReadinessSource *) self->source)->readiness = self;
  ((ReadinessSource *) self->source)->tag =
      g_source_add_unix_fd (self->source, self->epoll, G_IO_IN);
  g_source_set_static_name (self->source, "readiness");
  /* GLib dispatches whatever has a descriptor that is ready, and wakes itself up twice to
   * keep what may not recurse from doing so. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, NULL);
  return self;
}

/**
 * amps_readiness_free:
 * @self: (transfer full): what watches nothing any more, or what will not be waited for
 */
void
amps_readiness_free (AmpsReadiness *self)
{
  GHashTableIter iter;
  gpointer readable;

  g_hash_table_iter_init (&iter, self->watched);
  while (g_hash_table_iter_next (&iter, NULL, &readable))
    ((AmpsReadable *) readable)->readiness = NULL;
  g_hash_table_unref (self->watched);
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_source_unref (self->source);
      close (self->epoll);
    }
  g_free (self);
}

/**
 * amps_readiness_watch:
 * @self: watches
 * @fd: a connected socket that does not block
 *
 * Returns: (transfer full): what is known of it from now on; see
 *   amps_readable_is_watched()
 */
AmpsReadable *
amps_readiness_watch (AmpsReadiness *self, int fd)
{
  AmpsReadable *readable = g_rc_box_new0 (AmpsReadable);
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };

  readable->fd = fd;
  readable->id = event.data.u32 = ++self->last_id;
  if (self->epoll < 0 || epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
    return readable;

  readable->readiness = self;
  g_hash_table_insert (self->watched, GUINT_TO_POINTER (readable->id), readable);
  return readable;
}

/**
 * amps_readable_ref:
 * @self: a descriptor
 *
 * Returns: (transfer full): @self
 */
AmpsReadable *
amps_readable_ref (AmpsReadable *self)
{
  return g_rc_box_acquire (self);
}

static void
readable_clear (gpointer data)
{
  amps_readable_forget (data);
}

/**
 * amps_readable_unref:
 * @self: (transfer full): a descriptor
 */
void
amps_readable_unref (AmpsReadable *self)
{
  g_rc_box_release_full (self, readable_clear);
}

/**
 * amps_readable_forget:
 * @self: a descriptor that is closed, or is another's from now on
 *
 * It is not watched any more. Who waits for it is to find out.
 */
void
amps_readable_forget (AmpsReadable *self)
{
  if (self->readiness == NULL)
    return;

  /* The kernel drops by itself what is closed. */
  epoll_ctl (self->readiness->epoll, EPOLL_CTL_DEL, self->fd, NULL);
  g_hash_table_remove (self->readiness->watched, GUINT_TO_POINTER (self->id));
  self->readiness = NULL;
  self->ready = TRUE;
}

/**
 * amps_readable_receive:
 * @self: a descriptor
 * @buffer: (out caller-allocates) (array length=size) (element-type guint8): where to
 * @size: how many bytes at most
 *
 * All that is read has to be read by this.
 *
 * Returns: what recv() does, with errno
 */
gssize
amps_readable_receive (AmpsReadable *self, void *buffer, gsize size)
{
  ssize_t n;

  self->ready = FALSE;
  do
    n = recv (self->fd, buffer, size, 0);
  while (n < 0 && errno == EINTR);

  /* epoll tells of what comes after there was no more. */
  self->ready = self->ended || (n < 0 ? errno != EAGAIN : n == 0 || (gsize) n == size);
  return n;
}

/**
 * amps_readable_is_watched:
 * @self: a descriptor
 *
 * Returns: whether it will be known when it is ready; if not, a source has to wait for the
 *   descriptor
 */
gboolean
amps_readable_is_watched (AmpsReadable *self)
{
  return self->readiness != NULL;
}

/**
 * amps_readable_is_ready:
 * @self: a descriptor that is watched
 *
 * Returns: whether a read may find something, as far as is known
 */
gboolean
amps_readable_is_ready (AmpsReadable *self)
{
  return self->ready;
}

/**
 * amps_readable_get_fd:
 * @self: a descriptor
 *
 * Returns: its number
 */
int
amps_readable_get_fd (AmpsReadable *self)
{
  return self->fd;
}
