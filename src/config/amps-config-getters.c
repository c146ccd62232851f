/* SPDX-License-Identifier: MIT */
#include "amps-config-private.h"

/* A getter for each setting of amps-config-settings.h. */

/* What is no text is a number. */
#define GET(type)                                                                                  \
  _Generic((type) 0, const char * : amps_config_get_text, default : amps_config_get_number)

#define INNER_SETTING(...)
#define SETTING(NAME, type, getter, ...)                                                           \
  type amps_config_get_##getter (AmpsConfig *self)                                                 \
  {                                                                                                \
    return (type) GET (type) (self, VARIABLE_##NAME);                                              \
  }
#include "amps-config-settings.h"
