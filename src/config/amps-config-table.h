/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One for each setting. */
typedef enum {
#define INNER_SETTING(NAME, ...) VARIABLE_##NAME,
#define SETTING(NAME, ...) VARIABLE_##NAME,
#include "amps-config-settings.h"
  N_VARIABLES,
} AmpsVariable;

/* What a value must look like. */
typedef enum {
  KIND_TEXT, /* at most maximum bytes */
  KIND_TOKEN,
  KIND_MEDIA_TYPE,
  KIND_BROKER_URIS, /* what they may be the backends know */
  KIND_ADDRESS,
  KIND_BASE_URL,
  KIND_COLLECTOR,
  KIND_PAIRS,
  KIND_RATIO,
  KIND_PATH, /* at most maximum bytes */
  KIND_MODE,
  KIND_SENTRY_DSN,
  KIND_BUS,
  KIND_WORD,
  KIND_NUMBER,
  KIND_BOOLEAN,
  KIND_DURATION,
  KIND_SIZE,
} AmpsVariableKind;

/* What the dump and the errors hide. */
typedef enum {
  SECRECY_NONE,
  SECRECY_URI,  /* the password and the query */
  SECRECY_PATH, /* what does not look like a path: the secret itself in its place */
  SECRECY_WHOLE,
} AmpsSecrecy;

/* All there is to know of a variable: parsing, options, errors and the dump
 * come from here. */
typedef struct {
  const char *name;
  AmpsVariableKind kind;
  const char *fallback;    /* (nullable) the default, as one would write it */
  const char *description; /* for --help */
  gint64 minimum;          /* of a number, duration (µs) or size */
  gint64 maximum;          /* likewise, or bytes of a text or path; 0 for no limit of those */
  const char *words[7];    /* allowed ones, in the order of the enumeration */
  const char *alias;       /* (nullable) another name for it */
  AmpsSecrecy secrecy;
  gboolean from_file;   /* can hold a secret, so that NAME_FILE may say where it is */
  gboolean for_clients; /* who looks for an AMPS or its broker reads it, too */
} AmpsVariableInfo;

/* unix(7): so much of sun_path, and a zero. */
#define MAX_SOCKET_PATH 107

extern const AmpsVariableInfo amps_variables[N_VARIABLES];

G_END_DECLS
