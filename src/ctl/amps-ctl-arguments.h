/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-command.h"

G_BEGIN_DECLS

/**
 * AmpsCtlArguments:
 * @command: (nullable): what to do; %NULL with --help or --version alone
 * @general: the options of all commands
 * @options: (nullable): those of the command
 * @settings: (array zero-terminated=1): `NAME=value` for each option that is a setting
 * @arguments: (array zero-terminated=1): of the command
 *
 * A command line that makes sense.
 */
typedef struct {
  const AmpsCtlCommand *command;
  AmpsCtlGeneral general;
  gpointer options;
  char **settings;
  char **arguments;
} AmpsCtlArguments;

AmpsCtlArguments *amps_ctl_arguments_parse (const char *const *argv, GError **error);
void amps_ctl_arguments_free (AmpsCtlArguments *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCtlArguments, amps_ctl_arguments_free)

G_END_DECLS
