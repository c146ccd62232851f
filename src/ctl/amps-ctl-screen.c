/* SPDX-License-Identifier: MIT */
#include "amps-ctl-screen.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* xterm's: the other screen, no cursor, no wrapping of long lines */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

#define CTRL_Z 0x1a

struct _AmpsCtlScreen {
  AmpsCtlContext *context; /* (owned) */
  gboolean has_keys;       /* standard input is a terminal */
  struct termios before;   /* how it was */
  unsigned int keys;       /* source */
  unsigned int resize;     /* source */
  gboolean is_to_redraw;
  gboolean has_quit;
};

/**
 * amps_ctl_screen_is_possible:
 * @context: a context
 *
 * Returns: whether there is a terminal that can show something in place
 */
gboolean
amps_ctl_screen_is_possible (AmpsCtlContext *context)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  const char *terminal = g_getenv ("TERM");

  return amps_ctl_output_is_terminal (output) && !amps_ctl_output_is_json (output) &&
         terminal != NULL && *terminal != '\0' && !g_str_equal (terminal, "dumb");
}

static AmpsCtlOutput *
get_output (AmpsCtlScreen *self)
{
  return amps_ctl_context_get_output (self->context);
}

/* Keys come one by one and are not shown. Ctrl-C remains a signal; Ctrl-Z is a key, so that
 * the terminal can be given back before ampsctl stops. */
static void
ctl_screen_enter (AmpsCtlScreen *self)
{
  if (self->has_keys)
    {
      struct termios mode = self->before;

      mode.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
      mode.c_cc[VSUSP] = _POSIX_VDISABLE;
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &mode);
    }
  amps_ctl_output_write (get_output (self), ENTER);
  amps_ctl_output_flush (get_output (self), NULL);
}

static void
leave (AmpsCtlScreen *self)
{
  amps_ctl_output_write (get_output (self), LEAVE);
  amps_ctl_output_flush (get_output (self), NULL);
  if (self->has_keys)
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &self->before);
}

static void
stop (AmpsCtlScreen *self)
{
  leave (self);
  raise (SIGTSTP);
  ctl_screen_enter (self);
  self->is_to_redraw = TRUE;
}

static gboolean
on_key (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsCtlScreen *self = user_data;
  char key;

  if (read (fd, &key, 1) != 1)
    {
      self->keys = 0;
      return G_SOURCE_REMOVE;
    }

  if (key == CTRL_Z)
    stop (self);
  else if (key == 'q' || key == 'Q')
    self->has_quit = TRUE;
  /* Whatever is being asked is not wanted any more. */
  if (self->has_quit)
    g_cancellable_cancel (amps_ctl_context_get_cancellable (self->context));
  return G_SOURCE_CONTINUE;
}

static gboolean
on_resize (gpointer user_data)
{
  AmpsCtlScreen *self = user_data;

  self->is_to_redraw = TRUE;
  return G_SOURCE_CONTINUE;
}

/**
 * amps_ctl_screen_new:
 * @context: a context whose output is a terminal
 *
 * Returns: (transfer full): the terminal, empty
 */
AmpsCtlScreen *
amps_ctl_screen_new (AmpsCtlContext *context)
{
  g_return_val_if_fail (AMPS_CTL_IS_CONTEXT (context), NULL);

  AmpsCtlScreen *self = g_new0 (AmpsCtlScreen, 1);

  self->context = g_object_ref (context);
  self->has_keys = tcgetattr (STDIN_FILENO, &self->before) == 0;
  if (self->has_keys)
    self->keys = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_key, self);
  self->resize = g_unix_signal_add (SIGWINCH, on_resize, self);
  ctl_screen_enter (self);
  return self;
}

/**
 * amps_ctl_screen_free:
 * @self: (transfer full): the terminal, which becomes as it was before
 */
void
amps_ctl_screen_free (AmpsCtlScreen *self)
{
  leave (self);
  g_clear_handle_id (&self->keys, g_source_remove);
  g_clear_handle_id (&self->resize, g_source_remove);
  g_object_unref (self->context);
  g_free (self);
}

/**
 * amps_ctl_screen_show:
 * @self: the terminal
 * @lines: no wider than it; those that are too many are left out
 */
void
amps_ctl_screen_show (AmpsCtlScreen *self, const char *lines)
{
  unsigned int height = amps_ctl_output_get_height (get_output (self));
  g_auto (GStrv) split = g_strsplit (lines, "\n", -1);
  g_autoptr (GString) frame = g_string_new (HOME);
  unsigned int n_lines = 0;

  /* Each is cleared before it is written: behind a full line that would take its last column. */
  for (; split[n_lines] != NULL && n_lines < height; n_lines++)
    g_string_append_printf (frame, "%s" CLEAR_LINE "%s", n_lines > 0 ? "\n" : "", split[n_lines]);
  if (n_lines < height)
    g_string_append (frame, "\n" CLEAR_REST);

  self->is_to_redraw = FALSE;
  amps_ctl_output_write (get_output (self), frame->str);
  amps_ctl_output_flush (get_output (self), NULL);
}

static gboolean
is_to_go_on (gpointer user_data)
{
  AmpsCtlScreen *self = user_data;

  return self->is_to_redraw || self->has_quit;
}

/**
 * amps_ctl_screen_wait:
 * @self: the terminal
 * @duration: µs
 *
 * Returns: whether the time is over; else the terminal has another size now, or has been
 *   something else's meanwhile, or the user wants no more
 */
gboolean
amps_ctl_screen_wait (AmpsCtlScreen *self, gint64 duration)
{
  return !amps_ctl_context_wait (self->context, is_to_go_on, self, duration, NULL);
}

/**
 * amps_ctl_screen_has_quit:
 * @self: the terminal
 *
 * Returns: whether the user has pressed q, which also cancels the context
 */
gboolean
amps_ctl_screen_has_quit (AmpsCtlScreen *self)
{
  return self->has_quit;
}
