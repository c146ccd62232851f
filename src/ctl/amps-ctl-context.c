/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-context.h"

#include <glib-unix.h>
#include <glib/gi18n.h>

static const int handled_signals[] = { SIGINT, SIGTERM, SIGHUP };

typedef struct {
  AmpsCtlContext *context;
  int number;
  unsigned int source;
} Signal;

struct _AmpsCtlContext {
  GObject parent_instance;

  AmpsConfig *config;            /* (owned) */
  AmpsCtlOutput *output;         /* (owned) */
  const AmpsCtlGeneral *general; /* of the command line, which outlives this */
  gconstpointer options;         /* likewise */
  const char *const *arguments;  /* likewise */
  GCancellable *cancellable;     /* (owned) */
  Signal signals[G_N_ELEMENTS (handled_signals)];
  int signal; /* that came first; 0 if none did */
};

G_DEFINE_FINAL_TYPE (AmpsCtlContext, amps_ctl_context, G_TYPE_OBJECT)

static void
amps_ctl_context_finalize (GObject *object)
{
  AmpsCtlContext *self = AMPS_CTL_CONTEXT (object);

  for (unsigned int i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_clear_handle_id (&self->signals[i].source, g_source_remove);
  g_object_unref (self->cancellable);
  g_object_unref (self->output);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_ctl_context_parent_class)->finalize (object);
}

static void
amps_ctl_context_class_init (AmpsCtlContextClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_ctl_context_finalize;
}

/* A second one ends ampsctl at once. */
static gboolean
on_signal (gpointer user_data)
{
  Signal *signal = user_data;
  AmpsCtlContext *self = signal->context;

  signal->source = 0;
  if (self->signal == 0)
    self->signal = signal->number;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

static void
amps_ctl_context_init (AmpsCtlContext *self)
{
  self->cancellable = g_cancellable_new ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (self->signals); i++)
    {
      self->signals[i].context = self;
      self->signals[i].number = handled_signals[i];
      self->signals[i].source =
          g_unix_signal_add (handled_signals[i], on_signal, &self->signals[i]);
    }
}

/**
 * amps_ctl_context_new:
 * @config: the settings
 * @general: the options of all commands; to outlive the context
 * @options: (nullable): those of the command; likewise
 * @arguments: (array zero-terminated=1): likewise
 *
 * Handles the signals that end a program from now on.
 *
 * Returns: (transfer full): what a command has to work with
 */
AmpsCtlContext *
amps_ctl_context_new (AmpsConfig *config, const AmpsCtlGeneral *general, gconstpointer options,
                      const char *const *arguments)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  AmpsCtlContext *self = g_object_new (AMPS_CTL_TYPE_CONTEXT, NULL);

  self->config = g_object_ref (config);
  self->output = amps_ctl_output_new (general->json, general->no_color);
  self->general = general;
  self->options = options;
  self->arguments = arguments;
  return self;
}

/**
 * amps_ctl_context_get_config:
 * @self: a context
 *
 * Returns: (transfer none): the settings
 */
AmpsConfig *
amps_ctl_context_get_config (AmpsCtlContext *self)
{
  return self->config;
}

/**
 * amps_ctl_context_get_output:
 * @self: a context
 *
 * Returns: (transfer none): where the answer goes
 */
AmpsCtlOutput *
amps_ctl_context_get_output (AmpsCtlContext *self)
{
  return self->output;
}

/**
 * amps_ctl_context_get_general:
 * @self: a context
 *
 * Returns: (transfer none): the options of all commands
 */
const AmpsCtlGeneral *
amps_ctl_context_get_general (AmpsCtlContext *self)
{
  return self->general;
}

/**
 * amps_ctl_context_get_options:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): the command's own, of the type that it has said
 */
gconstpointer
amps_ctl_context_get_options (AmpsCtlContext *self)
{
  return self->options;
}

/**
 * amps_ctl_context_get_arguments:
 * @self: a context
 *
 * Returns: (transfer none) (array zero-terminated=1): as many as the command takes
 */
const char *const *
amps_ctl_context_get_arguments (AmpsCtlContext *self)
{
  return self->arguments;
}

/**
 * amps_ctl_context_get_timeout:
 * @self: a context
 *
 * Returns: µs that an answer may take
 */
gint64
amps_ctl_context_get_timeout (AmpsCtlContext *self)
{
  return self->general->timeout > 0 ? self->general->timeout : AMPS_CTL_DEFAULT_TIMEOUT;
}

/**
 * amps_ctl_context_get_cancellable:
 * @self: a context
 *
 * Returns: (transfer none): is cancelled when the user wants no more
 */
GCancellable *
amps_ctl_context_get_cancellable (AmpsCtlContext *self)
{
  return self->cancellable;
}

/**
 * amps_ctl_context_get_signal:
 * @self: a context
 *
 * Returns: the signal that has cancelled it; 0 if none has
 */
int
amps_ctl_context_get_signal (AmpsCtlContext *self)
{
  return self->signal;
}

static gboolean
ctl_context_on_timeout (gpointer user_data)
{
  gboolean *is_late = user_data;

  *is_late = TRUE;
  return G_SOURCE_CONTINUE;
}

/* µs, rounded up: a source has ms */
static unsigned int
add_timeout (gint64 timeout, gboolean *is_late)
{
  gint64 milliseconds = (timeout + 999) / 1000;

  return g_timeout_add ((unsigned int) CLAMP (milliseconds, 0, G_MAXINT), ctl_context_on_timeout,
                        is_late);
}

/**
 * amps_ctl_context_wait:
 * @self: a context
 * @is_done: (scope call): asked in each turn of the main loop
 * @user_data: passed to @is_done
 * @timeout: µs; negative for no limit
 * @error: return location: %G_IO_ERROR_CANCELLED or %G_IO_ERROR_TIMED_OUT
 *
 * Lets the main loop run until something has come. Nothing else may block.
 *
 * Returns: whether it has come
 */
gboolean
amps_ctl_context_wait (AmpsCtlContext *self, AmpsCtlDoneFunc is_done, gpointer user_data,
                       gint64 timeout, GError **error)
{
  gboolean is_late = FALSE;
  unsigned int source = timeout >= 0 ? add_timeout (timeout, &is_late) : 0;
  gboolean done;

  while (!(done = is_done (user_data)) && !is_late &&
         !g_cancellable_is_cancelled (self->cancellable))
    g_main_context_iteration (NULL, TRUE);
  g_clear_handle_id (&source, g_source_remove);

  if (!done && !g_cancellable_set_error_if_cancelled (self->cancellable, error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _ ("the time is up"));
  return done;
}

static gboolean
is_never_done (gpointer user_data G_GNUC_UNUSED)
{
  return FALSE;
}

/**
 * amps_ctl_context_sleep:
 * @self: a context
 * @duration: µs
 * @error: return location: %G_IO_ERROR_CANCELLED
 *
 * Lets the main loop run for a while.
 *
 * Returns: whether it was as long
 */
gboolean
amps_ctl_context_sleep (AmpsCtlContext *self, gint64 duration, GError **error)
{
  amps_ctl_context_wait (self, is_never_done, NULL, duration, NULL);
  return !g_cancellable_set_error_if_cancelled (self->cancellable, error);
}
