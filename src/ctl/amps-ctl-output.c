/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-output.h"

#include "amps-ctl-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Where nobody says how wide it is. */
#define DEFAULT_WIDTH 80
#define DEFAULT_HEIGHT 24

struct _AmpsCtlOutput {
  GObject parent_instance;

  gboolean is_json;
  gboolean is_terminal;
  gboolean has_colors;
  int failure; /* the first errno of a write; 0 without one */
};

G_DEFINE_FINAL_TYPE (AmpsCtlOutput, amps_ctl_output, G_TYPE_OBJECT)

static void
amps_ctl_output_class_init (AmpsCtlOutputClass *klass G_GNUC_UNUSED)
{
}

static void
amps_ctl_output_init (AmpsCtlOutput *self G_GNUC_UNUSED)
{
}

/* See no-color.org. */
static gboolean
wants_colors (void)
{
  const char *no_color = g_getenv ("NO_COLOR");
  const char *terminal = g_getenv ("TERM");

  return (no_color == NULL || *no_color == '\0') && terminal != NULL && *terminal != '\0' &&
         g_strcmp0 (terminal, "dumb") != 0;
}

/**
 * amps_ctl_output_new:
 * @json: whether a program reads it
 * @no_color: whether there shall be no colours even on a terminal
 *
 * Returns: (transfer full): standard output
 */
AmpsCtlOutput *
amps_ctl_output_new (gboolean json, gboolean no_color)
{
  AmpsCtlOutput *self = g_object_new (AMPS_CTL_TYPE_OUTPUT, NULL);

  self->is_json = json;
  self->is_terminal = isatty (STDOUT_FILENO);
  self->has_colors = self->is_terminal && !json && !no_color && wants_colors ();
  return self;
}

/**
 * amps_ctl_output_is_json:
 * @self: an output
 *
 * Returns: whether a program reads it: then nothing but JSON is to be written
 */
gboolean
amps_ctl_output_is_json (AmpsCtlOutput *self)
{
  return self->is_json;
}

/**
 * amps_ctl_output_is_terminal:
 * @self: an output
 *
 * Returns: whether it is a terminal
 */
gboolean
amps_ctl_output_is_terminal (AmpsCtlOutput *self)
{
  return self->is_terminal;
}

/**
 * amps_ctl_output_get_width:
 * @self: an output
 *
 * Returns: the columns of the terminal, as it is now; 0, for no limit, if it is none
 */
unsigned int
amps_ctl_output_get_width (AmpsCtlOutput *self)
{
  struct winsize size;

  if (!self->is_terminal)
    return 0;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_WIDTH;
  return size.ws_col;
}

/**
 * amps_ctl_output_get_height:
 * @self: an output
 *
 * Returns: the lines of the terminal, as it is now
 */
unsigned int
amps_ctl_output_get_height (AmpsCtlOutput *self G_GNUC_UNUSED)
{
  struct winsize size;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
    return DEFAULT_HEIGHT;
  return size.ws_row;
}

/**
 * amps_ctl_output_write:
 * @self: an output
 * @text: UTF-8, whatever the locale: terminals without a locale show it, too, and JSON has
 *   nothing else
 *
 * A failure is kept for [method@Amps.CtlOutput.flush].
 */
void
amps_ctl_output_write (AmpsCtlOutput *self, const char *text)
{
  if (fputs (text, stdout) == EOF && self->failure == 0)
    self->failure = errno;
}

/**
 * amps_ctl_output_print:
 * @self: an output
 * @format: as of printf()
 * @...: its arguments
 */
void
amps_ctl_output_print (AmpsCtlOutput *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  amps_ctl_output_write (self, text);
}

/**
 * amps_ctl_output_print_json:
 * @self: an output
 * @node: a value
 *
 * On a terminal with a member on each line, else on one line.
 */
void
amps_ctl_output_print_json (AmpsCtlOutput *self, JsonNode *node)
{
  g_autofree char *text = json_to_string (node, self->is_terminal);

  amps_ctl_output_print (self, "%s\n", text);
}

/**
 * amps_ctl_output_append_styled:
 * @self: an output
 * @line: gets the text
 * @style: what it is
 * @text: the text
 */
void
amps_ctl_output_append_styled (AmpsCtlOutput *self, GString *line, AmpsCtlStyle style,
                               const char *text)
{
  /* ECMA-48, 8.3.117 */
  static const char *const codes[] = {
    [AMPS_CTL_STYLE_TITLE] = "1",  [AMPS_CTL_STYLE_GOOD] = "32", [AMPS_CTL_STYLE_CAUTION] = "33",
    [AMPS_CTL_STYLE_BAD] = "1;31", [AMPS_CTL_STYLE_FAINT] = "2",
  };

  if (self->has_colors && style != AMPS_CTL_STYLE_NONE && *text != '\0')
    g_string_append_printf (line, "\033[%sm%s\033[0m", codes[style], text);
  else
    g_string_append (line, text);
}

/**
 * amps_ctl_output_get_failure:
 * @self: an output
 *
 * Returns: the errno of the first write that failed; 0 if none did
 */
int
amps_ctl_output_get_failure (AmpsCtlOutput *self)
{
  return self->failure;
}

/**
 * amps_ctl_output_flush:
 * @self: an output
 * @error: return location: %AMPS_CTL_ERROR_OUTPUT
 *
 * Returns: whether all that was written has arrived
 */
gboolean
amps_ctl_output_flush (AmpsCtlOutput *self, GError **error)
{
  if (fflush (stdout) == EOF && self->failure == 0)
    self->failure = errno;
  if (self->failure == 0)
    return TRUE;

  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_OUTPUT, _ ("could not write: %s"),
               g_strerror (self->failure));
  return FALSE;
}
