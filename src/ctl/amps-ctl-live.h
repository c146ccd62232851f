/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * AmpsCtlLiveOptions:
 * @interval: µs between two looks; 0 for the default
 * @count: how many looks; 0 for no end
 *
 * The options of what is shown again and again.
 */
typedef struct {
  gint64 interval;
  guint64 count;
} AmpsCtlLiveOptions;

/**
 * AmpsCtlLive:
 * @look: asks AMPS
 * @render: appends lines for people, no wider than @width unless that is 0, and about @height
 * @describe: returns (transfer full) the same for programs
 *
 * Something that is shown again and again.
 */
typedef struct {
  gboolean (*look) (gpointer self, GError **error);
  void (*render) (gpointer self, GString *lines, unsigned int width, unsigned int height);
  JsonNode *(*describe) (gpointer self);
} AmpsCtlLive;

gboolean amps_ctl_live_run (AmpsCtlContext *context, const AmpsCtlLive *live, gpointer self,
                            const AmpsCtlLiveOptions *options, GError **error);

G_END_DECLS
