/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

G_BEGIN_DECLS

/**
 * AmpsCtlNeeds:
 * @AMPS_CTL_NEEDS_NOTHING: no setting that has no default
 * @AMPS_CTL_NEEDS_SUBJECT: BROKER_SUBJECT
 *
 * What a command can't do without.
 */
typedef enum {
  AMPS_CTL_NEEDS_NOTHING,
  AMPS_CTL_NEEDS_SUBJECT,
} AmpsCtlNeeds;

/**
 * AmpsCtlCommand:
 * @name: one word, or two where it is one of a family: "dead list"
 * @synopsis: (nullable): its arguments
 * @help: one line, to be translated
 * @description: (nullable): more, to be translated
 * @options: (nullable): its own options
 * @options_size: bytes of the structure that holds their values
 * @min_arguments: how many it needs
 * @max_arguments: how many it takes
 * @needs: which settings it needs
 * @run: does it. It may let the main loop run, see [method@AmpsCtl.Context.wait], and is done
 *   when it returns; an error says why not
 *
 * Something that ampsctl can do. Help, the completion of command lines and the manual go by
 * this.
 */
typedef struct {
  const char *name;
  const char *synopsis;
  const char *help;
  const char *description;
  const AmpsCtlOption *options;
  gsize options_size;
  unsigned int min_arguments;
  unsigned int max_arguments;
  AmpsCtlNeeds needs;
  gboolean (*run) (AmpsCtlContext *context, GError **error);
} AmpsCtlCommand;

G_END_DECLS
