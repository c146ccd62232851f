/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsCtlOptionKind:
 * @AMPS_CTL_OPTION_FLAG: no value; a #gboolean
 * @AMPS_CTL_OPTION_TEXT: a `char *`, UTF-8, %NULL without the option
 * @AMPS_CTL_OPTION_TEXTS: a `char **` of all that were given, %NULL without the option
 * @AMPS_CTL_OPTION_OPTIONAL_TEXT: as a text, "" with the option but without a value
 * @AMPS_CTL_OPTION_PATH: likewise, any bytes
 * @AMPS_CTL_OPTION_DURATION: such as "5m"; a #gint64 of µs, 0 without the option only
 * @AMPS_CTL_OPTION_OPTIONAL_DURATION: likewise, but 0 may be given; -1 with the option but without
 * a value
 * @AMPS_CTL_OPTION_NUMBER: a #guint64, 0 without the option
 *
 * What an option takes, and what becomes of it.
 */
typedef enum {
  AMPS_CTL_OPTION_FLAG,
  AMPS_CTL_OPTION_TEXT,
  AMPS_CTL_OPTION_TEXTS,
  AMPS_CTL_OPTION_OPTIONAL_TEXT,
  AMPS_CTL_OPTION_PATH,
  AMPS_CTL_OPTION_DURATION,
  AMPS_CTL_OPTION_OPTIONAL_DURATION,
  AMPS_CTL_OPTION_NUMBER,
} AmpsCtlOptionKind;

/**
 * AmpsCtlOption:
 * @name: without the dashes
 * @letter: the short form, or 0
 * @kind: what it takes
 * @offset: where its value goes in the structure of the command's options
 * @value_name: (nullable): what its value is called, to be translated
 * @help: one line, to be translated
 *
 * An option. A list of them ends with one without a name.
 */
typedef struct {
  const char *name;
  char letter;
  AmpsCtlOptionKind kind;
  gsize offset;
  const char *value_name;
  const char *help;
} AmpsCtlOption;

/**
 * AmpsCtlGeneral:
 * @json: for a program
 * @no_color: without colours
 * @timeout: µs that an answer may take; 0 for the default
 * @url: (nullable): where AMPS is
 * @socket: (nullable): likewise
 * @bus: (nullable): likewise; "" for the bus that the settings say
 * @help: show help only
 * @version: show the version only
 *
 * The options of all commands.
 */
typedef struct {
  gboolean json;
  gboolean no_color;
  gint64 timeout;
  char *url;
  char *socket;
  char *bus;
  gboolean help;
  gboolean version;
} AmpsCtlGeneral;

#define AMPS_CTL_DEFAULT_TIMEOUT ((gint64) 10 * G_USEC_PER_SEC)

extern const AmpsCtlOption amps_ctl_general_options[];

gboolean amps_ctl_option_store (const AmpsCtlOption *option, gpointer values, const char *value,
                                GError **error);
gboolean amps_ctl_option_takes_value (const AmpsCtlOption *option);
gboolean amps_ctl_option_needs_value (const AmpsCtlOption *option);
void amps_ctl_options_clear (const AmpsCtlOption *options, gpointer values);

G_END_DECLS
