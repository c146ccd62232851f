/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-names.h"
#include "amps-config-table.h"
#include "base/amps-edit-distance.h"

#include <string.h>

#define PREFIX "AMPS_"
#define OTEL_PREFIX "OTEL_"
#define FILE_SUFFIX "_FILE"
/* Shorter ones look like too many others: PROT, HOST, DEBUGS. */
#define MIN_LONE_WORD 8
/* Letters of names that may differ by one even where their words are cut otherwise. */
#define MIN_RUN_TOGETHER 12
/* In all words of a name. */
#define MAX_FAULTS 2

/* A difference in length is so many letters at least: most pairs need not be compared. */
static gboolean
may_be_within (gsize length, gsize known_length, gsize distance)
{
  return MAX (length, known_length) - MIN (length, known_length) <= distance;
}

/* A short word with another letter is another word: API and APP, ID and IP. */
static gboolean
is_short_word_alike (const char *word, gsize length, const char *known, gsize known_length)
{
  if (length == known_length + 1)
    return word[known_length] == 'S' && memcmp (word, known, known_length) == 0;

  /* Swapped: DNS for DSN. */
  return length == known_length && known_length == 3 && word[0] == known[0] &&
         word[1] == known[2] && word[2] == known[1];
}

/* @n_faults: (inout): gets more by the faults of this word */
static gboolean
is_word_alike (const char *word, gsize length, const char *known, gsize known_length,
               unsigned int *n_faults)
{
  unsigned int most = known_length >= MIN_LONE_WORD ? 2 : 1;
  unsigned int distance;

  if (length == known_length && memcmp (word, known, length) == 0)
    return TRUE;

  if (known_length <= 3)
    {
      *n_faults += 1;
      return is_short_word_alike (word, length, known, known_length);
    }

  /* Few get the first letter wrong, and HOST is not POST. */
  if (length < 2 || !may_be_within (length, known_length, most) ||
      (known_length <= 5 && word[0] != known[0] && (word[0] != known[1] || word[1] != known[0])))
    return FALSE;
  distance = amps_edit_distance (word, length, known, known_length);
  *n_faults += distance;
  return distance <= most;
}

static gboolean
are_words_alike (const char *name, const char *known, unsigned int *n_faults)
{
  *n_faults = 0;
  while (TRUE)
    {
      gsize length = strcspn (name, "_");
      gsize known_length = strcspn (known, "_");

      if (!is_word_alike (name, length, known, known_length, n_faults))
        return FALSE;
      name += length;
      known += known_length;
      if (*name == '\0' || *known == '\0')
        return *name == *known;
      name++;
      known++;
    }
}

static gsize
count_letters (const char *name)
{
  gsize n = strlen (name);

  for (const char *at = strchr (name, '_'); at != NULL; at = strchr (at + 1, '_'))
    n--;
  return n;
}

static void
run_together (const char *name, char *letters)
{
  for (; *name != '\0'; name++)
    if (*name != '_')
      *letters++ = *name;
}

/* One fault, of two letters at most, leaves either what is before the middle or what is after
 * it as it was. */
static gboolean
have_equal_half (const char *letters, gsize length, const char *known, gsize known_length)
{
  gsize half = (MIN (length, known_length) - 1) / 2;

  return memcmp (letters, known, half) == 0 ||
         memcmp (letters + length - half, known + known_length - half, half) == 0;
}

/* DEADLETTER_QUEUE */
static gboolean
are_cut_otherwise (const char *name, const char *known, unsigned int *n_faults)
{
  gsize length = count_letters (name);
  gsize known_length = count_letters (known);
  unsigned int most = known_length >= MIN_RUN_TOGETHER ? 1 : 0;
  char letters[AMPS_EDIT_DISTANCE_MAX_LENGTH + 1];
  char known_letters[AMPS_EDIT_DISTANCE_MAX_LENGTH + 1];

  if (strchr (known, '_') == NULL || strlen (name) - length == strlen (known) - known_length ||
      length == 0 || !may_be_within (length, known_length, most))
    return FALSE;

  run_together (name, letters);
  run_together (known, known_letters);
  if (!have_equal_half (letters, length, known_letters, known_length))
    return FALSE;

  *n_faults = amps_edit_distance (letters, length, known_letters, known_length);
  return *n_faults <= most;
}

static gboolean
is_alike (const char *name, const char *known, gboolean ours, unsigned int *n_faults)
{
  gboolean is_long = strchr (known, '_') != NULL || strlen (known) >= (ours ? 4 : MIN_LONE_WORD);

  return is_long && may_be_within (count_letters (name), count_letters (known), MAX_FAULTS) &&
         ((are_words_alike (name, known, n_faults) && *n_faults <= MAX_FAULTS) ||
          are_cut_otherwise (name, known, n_faults));
}

static unsigned int
count_common_words (const char *name, const char *known)
{
  unsigned int n = 0;

  while (TRUE)
    {
      gsize length = strcspn (name, "_");

      if (length == 0 || length != strcspn (known, "_") || memcmp (name, known, length) != 0)
        return n;
      n++;
      if (name[length] == '\0' || known[length] == '\0')
        return n;
      name += length + 1;
      known += length + 1;
    }
}

static GPtrArray *
list_names (gboolean with_aliases)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const char *both[] = { amps_variables[i].name,
                             with_aliases ? amps_variables[i].alias : NULL };

      for (unsigned int j = 0; j < G_N_ELEMENTS (both) && both[j] != NULL; j++)
        {
          g_ptr_array_add (names, g_strdup (both[j]));
          if (amps_variables[i].from_file)
            g_ptr_array_add (names, g_strconcat (both[j], FILE_SUFFIX, NULL));
        }
    }

  return names;
}

/* NULL for what can't be a name, and is not to be shown. */
static char *
normalise (const char *name)
{
  char *normal;

  if (strlen (name) > AMPS_EDIT_DISTANCE_MAX_LENGTH || *name == '\0')
    return NULL;
  for (const char *at = name; *at != '\0'; at++)
    {
      if (!g_ascii_isalnum (*at) && strchr ("_-.", *at) == NULL)
        return NULL;
    }

  normal = g_ascii_strup (name, -1);
  return g_strdelimit (normal, "-.", '_');
}

static const char *
find_alike (const char *normal, GPtrArray *names, gboolean ours)
{
  const char *best = NULL;
  unsigned int least = G_MAXUINT;

  for (unsigned int i = 0; i < names->len; i++)
    {
      unsigned int n_faults;

      if (is_alike (normal, names->pdata[i], ours, &n_faults) && n_faults < least)
        {
          best = names->pdata[i];
          least = n_faults;
        }
    }

  return best;
}

static const char *
find_beginning (const char *normal)
{
  const char *best = NULL;
  unsigned int most = 0;
  unsigned int least = G_MAXUINT;

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const char *known = amps_variables[i].name;
      unsigned int n_words = count_common_words (normal, known);
      unsigned int distance;

      if (n_words == 0)
        continue;
      distance = amps_edit_distance (normal, strlen (normal), known, strlen (known));
      if (n_words > most || (n_words == most && distance < least))
        {
          best = known;
          most = n_words;
          least = distance;
        }
    }

  return best;
}

static const char *
find_equal (const char *normal, GPtrArray *names)
{
  for (unsigned int i = 0; i < names->len; i++)
    {
      if (strcmp (names->pdata[i], normal) == 0)
        return names->pdata[i];
    }

  return NULL;
}

static gboolean
is_short_word (const char *name)
{
  return strchr (name, '_') == NULL && strlen (name) < MIN_LONE_WORD;
}

static char *
config_names_guess (const char *name, GPtrArray *names, gboolean ours)
{
  g_autofree char *normal = normalise (name);
  const char *rest = normal;
  const char *found;

  if (normal == NULL || find_equal (name, names) != NULL)
    return NULL;
  if (g_str_has_prefix (rest, PREFIX))
    rest += strlen (PREFIX);

  found = find_equal (rest, names);
  /* port and debug mean something to other programs. */
  if (found != NULL && !ours && rest == normal && is_short_word (found))
    return NULL;
  if (found == NULL)
    found = find_alike (rest, names, ours);
  /* Of OpenTelemetry's many, which a file may hold for others, too, AMPS reads a few. */
  if (found == NULL && ours && !g_str_has_prefix (rest, OTEL_PREFIX))
    found = find_beginning (rest);

  return g_strdup (found);
}

/**
 * amps_config_names_guess:
 * @name: of a variable that is set
 * @ours: whether it stands where other programs have little to say, so that it
 *   is enough if it begins like one of ours
 *
 * Returns: (transfer full) (nullable): the setting that was likely meant; %NULL
 *   if @name is a setting, or belongs to somebody else
 */
char *
amps_config_names_guess (const char *name, gboolean ours)
{
  g_autoptr (GPtrArray) names = list_names (TRUE);

  return config_names_guess (name, names, ours);
}

/**
 * amps_config_names_guess_option:
 * @argument: of the command line, such as `--max-concurency=20`
 *
 * Returns: (transfer full) (nullable): the option that was likely meant
 */
char *
amps_config_names_guess_option (const char *argument)
{
  const char *start = argument + strspn (argument, "-");
  g_autofree char *name = g_strndup (start, strcspn (start, "="));
  g_autoptr (GPtrArray) names = list_names (FALSE);
  g_autofree char *lower = NULL;
  g_autofree char *found = NULL;
  g_autofree char *option = NULL;
  g_autofree char *dashed = NULL;

  g_ptr_array_add (names, g_strdup ("CHECK_CONFIG"));
  g_ptr_array_add (names, g_strdup ("VERSION"));
  g_ptr_array_add (names, g_strdup ("HELP"));

  /* Not in capitals: that is how variables are written. */
  lower = g_ascii_strdown (name, -1);
  found = config_names_guess (lower, names, TRUE);
  if (found == NULL)
    return NULL;

  option = g_strdelimit (g_ascii_strdown (found, -1), "_", '-');
  dashed = g_strconcat ("--", option, NULL);
  return strncmp (argument, dashed, strcspn (argument, "=")) != 0 ? g_steal_pointer (&dashed)
                                                                  : NULL;
}

/**
 * amps_config_names_is_service_link:
 * @name: of a variable
 * @value: its value
 *
 * Kubernetes sets NAME_PORT=tcp://… for each Service called NAME.
 *
 * Returns: whether this may be such a one
 */
gboolean
amps_config_names_is_service_link (const char *name, const char *value)
{
  return g_str_has_suffix (name, "PORT") &&
         (g_str_has_prefix (value, "tcp://") || g_str_has_prefix (value, "udp://") ||
          g_str_has_prefix (value, "sctp://"));
}

/* A setting that is not read from a file, by the name of such a file. A name of one
 * word may be another program's: ENVIRONMENT_FILE. */
static char *
find_plain_setting (const char *name, GPtrArray *names, gboolean ours)
{
  g_autofree char *setting = NULL;

  if (!g_str_has_suffix (name, FILE_SUFFIX) || find_equal (name, names) != NULL)
    return NULL;

  setting = g_strndup (name, strlen (name) - strlen (FILE_SUFFIX));
  if (find_equal (setting, names) == NULL || (!ours && strchr (setting, '_') == NULL))
    return NULL;
  return g_steal_pointer (&setting);
}

static void
check_one (const char *variable, const char *where, gboolean ours, GPtrArray *names,
           GPtrArray *warnings)
{
  const char *value = strchr (variable, '=');
  g_autofree char *name = value != NULL ? g_strndup (variable, (gsize) (value - variable)) : NULL;
  g_autofree char *setting = NULL;
  g_autofree char *likely = NULL;
  char *warning;

  if (name == NULL || value[1] == '\0' || amps_config_names_is_service_link (name, value + 1))
    return;

  setting = find_plain_setting (name, names, ours);
  likely = setting == NULL ? config_names_guess (name, names, ours) : NULL;
  if (setting != NULL)
    warning = g_strdup_printf ("%s in %s has no effect: only a setting that can hold a secret is "
                               "read from a file; set %s",
                               name, where, setting);
  else if (likely != NULL)
    warning = g_strdup_printf ("%s in %s is not a setting of AMPS and has no effect; did you mean "
                               "%s?",
                               name, where, likely);
  else
    return;

  if (g_ptr_array_find_with_equal_func (warnings, warning, g_str_equal, NULL))
    g_free (warning);
  else
    g_ptr_array_add (warnings, warning);
}

/**
 * amps_config_names_check:
 * @environment: (array zero-terminated=1): `NAME=value`
 * @dotenv: (array zero-terminated=1): likewise, from `.env`
 * @warnings: (element-type utf8): gets a line for each name that is not ours
 *   but looks like it, without its value
 */
void
amps_config_names_check (const char *const *environment, const char *const *dotenv,
                         GPtrArray *warnings)
{
  g_autoptr (GPtrArray) names = list_names (TRUE);

  for (; *environment != NULL; environment++)
    check_one (*environment, "the environment", FALSE, names, warnings);
  for (; *dotenv != NULL; dotenv++)
    check_one (*dotenv, ".env", TRUE, names, warnings);
}
