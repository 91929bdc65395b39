#include "CGetopt.h"

#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Values of long options: above every letter. */
enum { LONG_BASE = 256 };

static int index_of_letter(const roost_option_spec *specs, int spec_count, int letter) {
  for (int i = 0; i < spec_count; i++)
    if (specs[i].letter && specs[i].letter == letter) return i;
  return -1;
}

static int index_of(const roost_option_spec *specs, int spec_count, int value) {
  return value >= LONG_BASE ? value - LONG_BASE : index_of_letter(specs, spec_count, value);
}

/* How many of the long names begin as `text` does. */
static int matches(const roost_option_spec *specs, int spec_count, const char *text) {
  const char *name = text + 2;
  size_t length = strcspn(name, "=");
  int found = 0;
  for (int i = 0; i < spec_count; i++) found += strncmp(specs[i].name, name, length) == 0;
  return found;
}

static roost_option_item refused(int code, char *const *argv, const roost_option_spec *specs, int spec_count) {
  roost_option_item item = {ROOST_OPTION_UNKNOWN, -1, argv[optind - 1]};
  if (code == ':') {
    item.kind = ROOST_OPTION_NO_VALUE;
    item.index = index_of(specs, spec_count, optopt);
  } else if (optopt >= LONG_BASE) {
    item.kind = ROOST_OPTION_HAS_VALUE;
    item.index = optopt - LONG_BASE;
  } else if (optopt == 0 && strncmp(item.text, "--", 2) == 0 && matches(specs, spec_count, item.text) > 1) {
    item.kind = ROOST_OPTION_AMBIGUOUS;
  } else if (optopt != 0) {
    item.index = optopt;
    item.text = NULL;
  }
  return item;
}

int roost_read_options(int count, const char *const *arguments, const roost_option_spec *specs, int spec_count,
                       int stop_at_operand, roost_option_item *items, int capacity) {
  char **argv = calloc((size_t)count + 2, sizeof *argv);
  struct option *longs = calloc((size_t)spec_count + 1, sizeof *longs);
  char *letters = calloc(3 + 2 * (size_t)spec_count, 1);
  int used = -1;
  if (!argv || !longs || !letters) goto done;
  argv[0] = "roost";
  for (int i = 0; i < count; i++) argv[i + 1] = (char *)arguments[i];
  char *letter = letters;
  *letter++ = stop_at_operand ? '+' : '-'; /* operands in their places, whatever POSIXLY_CORRECT says */
  *letter++ = ':';
  for (int i = 0; i < spec_count; i++) {
    longs[i] = (struct option){specs[i].name, specs[i].takes_value ? required_argument : no_argument, NULL,
                               LONG_BASE + i};
    if (!specs[i].letter) continue;
    *letter++ = specs[i].letter;
    if (specs[i].takes_value) *letter++ = ':';
  }

  pthread_mutex_lock(&lock);
  optind = 0; /* glibc: start anew */
  opterr = 0;
  used = 0;
  while (used < capacity) {
    int code = getopt_long(count + 1, argv, letters, longs, NULL);
    if (code == -1) break;
    if (code == '?' || code == ':') {
      items[used++] = refused(code, argv, specs, spec_count);
      goto unlock;
    }
    items[used++] = code == 1 ? (roost_option_item){ROOST_OPERAND, -1, optarg}
                              : (roost_option_item){ROOST_OPTION, index_of(specs, spec_count, code), optarg};
  }
  for (; optind <= count && used < capacity; optind++)
    items[used++] = (roost_option_item){ROOST_OPERAND, -1, argv[optind]};
unlock:
  pthread_mutex_unlock(&lock);
done:
  free(argv);
  free(longs);
  free(letters);
  return used;
}
