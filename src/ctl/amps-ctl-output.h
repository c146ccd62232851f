/* SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * AmpsCtlStyle:
 * @AMPS_CTL_STYLE_NONE: as all else
 * @AMPS_CTL_STYLE_TITLE: a heading
 * @AMPS_CTL_STYLE_GOOD: as it should be
 * @AMPS_CTL_STYLE_CAUTION: to be looked at
 * @AMPS_CTL_STYLE_BAD: not as it should be
 * @AMPS_CTL_STYLE_FAINT: beside the point
 *
 * What a text is, which colours show where there are colours.
 */
typedef enum {
  AMPS_CTL_STYLE_NONE,
  AMPS_CTL_STYLE_TITLE,
  AMPS_CTL_STYLE_GOOD,
  AMPS_CTL_STYLE_CAUTION,
  AMPS_CTL_STYLE_BAD,
  AMPS_CTL_STYLE_FAINT,
} AmpsCtlStyle;

/**
 * AmpsCtlOutput:
 *
 * Standard output, as a person or a program is to see it.
 */
#define AMPS_CTL_TYPE_OUTPUT (amps_ctl_output_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlOutput, amps_ctl_output, AMPS_CTL, OUTPUT, GObject)

AmpsCtlOutput *amps_ctl_output_new (gboolean json, gboolean no_color);

gboolean amps_ctl_output_is_json (AmpsCtlOutput *self);
gboolean amps_ctl_output_is_terminal (AmpsCtlOutput *self);
unsigned int amps_ctl_output_get_width (AmpsCtlOutput *self);
unsigned int amps_ctl_output_get_height (AmpsCtlOutput *self);

void amps_ctl_output_write (AmpsCtlOutput *self, const char *text);
void amps_ctl_output_print (AmpsCtlOutput *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void amps_ctl_output_print_json (AmpsCtlOutput *self, JsonNode *node);
void amps_ctl_output_append_styled (AmpsCtlOutput *self, GString *line, AmpsCtlStyle style,
                                    const char *text);
int amps_ctl_output_get_failure (AmpsCtlOutput *self);
gboolean amps_ctl_output_flush (AmpsCtlOutput *self, GError **error);

G_END_DECLS
