/* Times a bare fork: from the call to the child's first word, in a process with a file of the given size mapped and
   touched, and 1 MiB of memory of its own. Prints one time per line, in microseconds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  int file = open(arguments[1], O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) return 1;
  volatile char *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 1;
  char sum = 0;
  for (off_t at = 0; at < status.st_size; at += 4096) sum += mapped[at];
  memset(malloc(1 << 20), sum, 1 << 20);
  volatile double *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int trial = 0; trial < atoi(arguments[2]); trial++) {
    usleep(10000);
    double began = now();
    pid_t child = fork();
    if (child == 0) {
      word[0] = now();
      _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("%.1f\n", word[0] - began);
  }
}
