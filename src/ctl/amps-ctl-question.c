/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-question.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
  char answer[64]; /* the rest of a longer one does not matter */
  gsize length;
  gboolean done;
} Answer;

/**
 * amps_ctl_question_can_be_asked:
 *
 * Returns: whether there is somebody who sees a question, and can answer it
 */
gboolean
amps_ctl_question_can_be_asked (void)
{
  return isatty (STDIN_FILENO) && isatty (STDERR_FILENO);
}

/* The terminal gives whole lines. */
static gboolean
on_input (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  Answer *self = user_data;
  gssize length = read (fd, self->answer, sizeof self->answer - 1);

  self->length = (gsize) MAX (length, 0);
  self->done = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
is_answered (gpointer user_data)
{
  return ((Answer *) user_data)->done;
}

/* In the user's language, and in English. */
static gboolean
means_yes (Answer *self)
{
  g_autofree char *given = NULL;

  self->answer[self->length] = '\0';
  given = g_utf8_casefold (g_strstrip (self->answer), -1);
  /* Translators: what somebody types to say yes; the first letter will do. */
  return g_str_equal (given, "y") || g_str_equal (given, "yes") || g_str_equal (given, _ ("y")) ||
         g_str_equal (given, _ ("yes"));
}

/**
 * amps_ctl_question_ask:
 * @context: what the command has to work with
 * @question: translated
 * @yes: (out): whether the answer was yes; nothing else is
 * @error: return location: %G_IO_ERROR_CANCELLED
 *
 * Asks on standard error.
 *
 * Returns: whether there was an answer
 */
gboolean
amps_ctl_question_ask (AmpsCtlContext *context, const char *question, gboolean *yes, GError **error)
{
  Answer answer = { 0 };
  unsigned int source = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, &answer);
  gboolean answered;

  fprintf (stderr, _ ("%s [y/N] "), question);
  answered = amps_ctl_context_wait (context, is_answered, &answer, -1, error);
  g_source_remove (source);
  if (!answered)
    return FALSE;

  *yes = answer.length > 0 && g_utf8_validate (answer.answer, (gssize) answer.length, NULL) &&
         means_yes (&answer);
  return TRUE;
}
