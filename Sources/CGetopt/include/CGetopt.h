#ifndef ROOST_GETOPT_H
#define ROOST_GETOPT_H

/* getopt_long keeps its state in globals. This wrapper runs it from the first argument to the last under
   one lock and returns a plain list. */

typedef struct roost_option_spec {
  const char *name;   /* long name, without dashes */
  char letter;        /* short name; 0: none */
  char takes_value;   /* 1: --name VALUE or --name=VALUE */
} roost_option_spec;

enum {
  ROOST_OPTION = 1,           /* option `index` of the specs; text is its value, or NULL */
  ROOST_OPERAND = 2,          /* text */
  ROOST_OPTION_UNKNOWN = 3,   /* text as it was written, or NULL and the letter as index; ends the list */
  ROOST_OPTION_AMBIGUOUS = 4, /* an abbreviation of several; ends the list */
  ROOST_OPTION_NO_VALUE = 5,  /* option `index` lacks its value; ends the list */
  ROOST_OPTION_HAS_VALUE = 6, /* option `index` takes none; ends the list */
};

typedef struct roost_option_item {
  int kind;
  int index;
  const char *text; /* points into the arguments */
} roost_option_item;

/* Reads the `count` strings of `arguments` (no program name among them).
   With `stop_at_operand` everything from the first operand on is operands.
   `items` has room for 2 * count + 1; in `-abc` each letter is an item, so more than that ends with
   what was read so far. Returns the number of items, or -1 when memory is short. */
int roost_read_options(int count, const char *const *arguments, const roost_option_spec *specs, int spec_count,
                       int stop_at_operand, roost_option_item *items, int capacity);

#endif
