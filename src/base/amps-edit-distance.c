/* SPDX-License-Identifier: MIT */
#include "amps-edit-distance.h"

#define MAX_LENGTH AMPS_EDIT_DISTANCE_MAX_LENGTH

/**
 * amps_edit_distance:
 * @a: (array length=a_length): a word
 * @a_length: its bytes, at most %AMPS_EDIT_DISTANCE_MAX_LENGTH
 * @b: (array length=b_length): another
 * @b_length: likewise
 *
 * To guess what was meant by a misspelt name.
 *
 * Returns: how many letters were replaced, added, left out or swapped with the next one
 */
unsigned int
amps_edit_distance (const char *a, gsize a_length, const char *b, gsize b_length)
{
  unsigned int rows[MAX_LENGTH + 1][MAX_LENGTH + 1];

  g_return_val_if_fail (a_length <= MAX_LENGTH && b_length <= MAX_LENGTH, G_MAXUINT);

  for (gsize i = 0; i <= a_length; i++)
    rows[i][0] = (unsigned int) i;
  for (gsize j = 0; j <= b_length; j++)
    rows[0][j] = (unsigned int) j;

  for (gsize i = 1; i <= a_length; i++)
    for (gsize j = 1; j <= b_length; j++)
      {
        unsigned int replaced = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
        unsigned int other = MIN (rows[i - 1][j], rows[i][j - 1]) + 1;

        rows[i][j] = MIN (replaced, other);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          rows[i][j] = MIN (rows[i][j], rows[i - 2][j - 2] + 1);
      }

  return rows[a_length][b_length];
}
