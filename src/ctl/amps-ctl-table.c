/* SPDX-License-Identifier: MIT */
#include "amps-ctl-table.h"

#include "amps-ctl-text.h"

#define GAP 2
/* No column becomes narrower, or nothing in it can be told from anything else. */
#define MIN_WIDTH 4

typedef struct {
  char *text; /* (owned) */
  AmpsCtlStyle style;
} Cell;

struct _AmpsCtlTable {
  const AmpsCtlColumn *columns;
  unsigned int n_columns;
  GArray *cells; /* (owned) of Cell, line by line, beginning with the titles */
};

static void
clear_cell (gpointer data)
{
  g_free (((Cell *) data)->text);
}

/**
 * amps_ctl_table_new:
 * @columns: (array length=n_columns): its columns; to outlive the table
 * @n_columns: how many there are
 *
 * Returns: (transfer full): a table without lines
 */
AmpsCtlTable *
amps_ctl_table_new (const AmpsCtlColumn *columns, unsigned int n_columns)
{
  AmpsCtlTable *self = g_new0 (AmpsCtlTable, 1);

  self->columns = columns;
  self->n_columns = n_columns;
  self->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (self->cells, clear_cell);
  for (unsigned int i = 0; i < n_columns; i++)
    amps_ctl_table_add (self, AMPS_CTL_STYLE_TITLE, columns[i].title);
  return self;
}

/**
 * amps_ctl_table_free:
 * @self: (transfer full): a table
 */
void
amps_ctl_table_free (AmpsCtlTable *self)
{
  g_array_unref (self->cells);
  g_free (self);
}

/**
 * amps_ctl_table_add:
 * @self: a table
 * @style: what the text is
 * @text: of the next cell, by whomever
 */
void
amps_ctl_table_add (AmpsCtlTable *self, AmpsCtlStyle style, const char *text)
{
  Cell cell = { .text = amps_ctl_text_clean (text), .style = style };

  g_array_append_val (self->cells, cell);
}

/* Returns: the widest column that may be cut; of the flexible ones, unless all of them are
 * narrow already */
static unsigned int *
find_widest (AmpsCtlTable *self, unsigned int *widths, gboolean flexible)
{
  unsigned int *widest = NULL;

  for (unsigned int i = 0; i < self->n_columns; i++)
    {
      if (widths[i] > MIN_WIDTH && (!flexible || self->columns[i].flexible) &&
          (widest == NULL || widths[i] > *widest))
        widest = &widths[i];
    }

  return widest;
}

static unsigned int *
ctl_table_measure (AmpsCtlTable *self, unsigned int width)
{
  unsigned int *widths = g_new0 (unsigned int, self->n_columns);
  unsigned int sum = GAP * (self->n_columns - 1);

  for (unsigned int i = 0; i < self->cells->len; i++)
    {
      unsigned int taken = amps_ctl_text_get_width (g_array_index (self->cells, Cell, i).text);

      widths[i % self->n_columns] = MAX (widths[i % self->n_columns], taken);
    }
  for (unsigned int i = 0; i < self->n_columns; i++)
    sum += widths[i];

  for (; width > 0 && sum > width; sum--)
    {
      unsigned int *widest = find_widest (self, widths, TRUE);

      if (widest == NULL)
        widest = find_widest (self, widths, FALSE);
      if (widest == NULL)
        break;
      *widest -= 1;
    }

  return widths;
}

static void
end_line (GString *lines)
{
  while (lines->len > 0 && lines->str[lines->len - 1] == ' ')
    g_string_truncate (lines, lines->len - 1);
  g_string_append_c (lines, '\n');
}

/**
 * amps_ctl_table_append_to:
 * @self: a table of whole lines
 * @lines: gets its lines
 * @output: where they will be shown
 * @width: how many columns there are; 0 for no limit
 */
void
amps_ctl_table_append_to (AmpsCtlTable *self, GString *lines, AmpsCtlOutput *output,
                          unsigned int width)
{
  g_autofree unsigned int *widths = ctl_table_measure (self, width);

  for (unsigned int i = 0; i < self->cells->len; i++)
    {
      const Cell *cell = &g_array_index (self->cells, Cell, i);
      unsigned int column = i % self->n_columns;
      gboolean is_last = column == self->n_columns - 1;
      g_autoptr (GString) text = g_string_new (NULL);

      amps_ctl_text_append (text, cell->text, widths[column], self->columns[column].right);
      amps_ctl_output_append_styled (output, lines, cell->style, text->str);
      if (is_last)
        end_line (lines);
      else
        g_string_append_printf (lines, "%*s", GAP, "");
    }
}

/**
 * amps_ctl_table_print:
 * @self: a table of whole lines
 * @output: where to
 *
 * Prints it as wide as the terminal is.
 */
void
amps_ctl_table_print (AmpsCtlTable *self, AmpsCtlOutput *output)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  amps_ctl_table_append_to (self, lines, output, amps_ctl_output_get_width (output));
  amps_ctl_output_write (output, lines->str);
}
