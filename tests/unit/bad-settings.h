/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"

/* A setting that may not be so, perhaps with others on lines of their own behind it, and what its
 * error says. What must not be shown of it begins with one of the words that bad-settings.c
 * has. */
typedef struct {
  const char *settings;
  const char *says;
} BadSetting;

/* Returns: (nullable): the settings that are good with @settings */
typedef AmpsConfig *(*ReadConfigFunc) (const char *settings, GError **error);

void assert_refused (const BadSetting *bad, unsigned int n_bad, ReadConfigFunc read_config);
