/*
 * Exits as ffi/native/exits.ts has a process do it: native_test.ts compiles it for Linux, and gives it the code in a file, where `slot` and
 * `leave_first` begin, and whether C computes (1) or not (0).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef unsigned long long word;
enum { CODE_BYTES = 0x10000, STATE_BYTES = 0x1000, ALLOCATE = 1, THREAD = 3, THREAD_MASK = 4, EXIT = 5 };
enum { FLUSH = 279, ON_EXIT = 280, BUSY = 4 };

static void destructor(void) { puts("destructors"); }

int main(int count, char **arguments) {
  char *code = mmap(0, CODE_BYTES + STATE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FILE *file = fopen(arguments[1], "rb");
  if (count != 5 || file == 0 || fread(code, 1, CODE_BYTES, file) == 0) return 1;
  mprotect(code, CODE_BYTES, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(code, code + CODE_BYTES);
  word *state = (word *)(code + CODE_BYTES);
  state[ALLOCATE] = (word)malloc, state[THREAD] = (word)pthread_self, state[THREAD_MASK] = -1ull;
  state[EXIT] = (word)_exit, state[FLUSH] = (word)fflush, state[ON_EXIT] = (word)on_exit;
  word *slot = ((word * (*)(void))(code + atoi(arguments[2])))();
  slot[BUSY] = atoi(arguments[4]);
  atexit(destructor);
  ((void (*)(void *))(code + atoi(arguments[3])))(0);
  printf("written");
  exit(7);
}
