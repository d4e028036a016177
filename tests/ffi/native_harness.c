/*
 * Runs the machine code of ffi/native/native.c as ffi/native/native.ts does, by a calling convention that is not this system's: native_test.ts compiles it
 * with CONVENTION, and gives it the code in a file and where its functions begin.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef unsigned long long word;
#define C CONVENTION
struct message { struct message *next; word level, length; char text[]; };

static word *state;
static int woken;

static C void print(word level, const char *text, void *user_data) { (void)level, (void)user_data, printf("%s", text), fflush(stdout); }
static C void *allocate(word size) { return malloc(size); }
static C void release(void *memory) { free(memory); }
static C word thread(void) { return pthread_self() | 0x100000000000000; /* to be masked */ }
static C void leave(word first, word second) { printf("exit %lld %llu\n", first, second), fflush(stdout), _exit(second); }
static C void wake(void) { woken++, state[12] = 1; }

static C void (*capture)(int, const char *, void *);
static C void (*aborted)(const char *);

static void *elsewhere(void *argument) {
  for (int i = 0; i < 10000; i++) capture(2, "elsewhere\n", 0);
  return argument;
}

/* FILE, the offsets of quiet capture take release ended aborted signalled, and which to end with */
int main(int count, char **arguments) {
  word at[7];
  for (int i = 0; i < 7; i++) at[i] = strtoull(arguments[2 + i], 0, 10);
  char *code = mmap(0, 0x11000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FILE *file = fopen(arguments[1], "rb");
  size_t length = fread(code, 1, 0x10000, file);
  mprotect(code, 0x10000, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(code, code + length);
  state = (word *)(code + 0x10000);
  word thread_mask = ~0x100000000000000ull;
  word values[14] = { (word)print, (word)allocate, (word)release, (word)thread, thread_mask, (word)leave, -1, 70, 4, 0, pthread_self(), (word)wake,
    0, (word)"report\n" };
  memcpy(state, values, sizeof values);

  C void (*quiet)(int, const char *, void *) = (void *)(code + at[0]);
  quiet(5, "continued\n", 0), quiet(2, "info\n", 0), quiet(5, "more\n", 0), quiet(3, "warning ", 0), quiet(5, "continued\n", 0);

  capture = (void *)(code + at[1]);
  C struct message *(*take)(struct message **) = (void *)(code + at[2]);
  C void (*free_all)(struct message *) = (void *)(code + at[3]);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, elsewhere, 0);
  for (int i = 0; i < 10000; i++) capture(4, i ? "here\n" : "", 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  struct message *all = take(0);
  word messages = 0, bytes = 0, levels = 0;
  for (struct message *m = all; m; m = m->next) messages++, bytes += m->length == strlen(m->text) ? m->length : 0, levels += m->level;
  free_all(all);
  printf("%llu messages, %llu bytes, levels %llu, woken %d, left %p\n", messages, bytes, levels, woken, (void *)take(0));

  C void (*ended)(void *) = (void *)(code + at[4]);
  aborted = (void *)(code + at[5]);
  C void (*signalled)(int) = (void *)(code + at[6]);
  const char *end = arguments[count - 1];
  if (!strcmp(end, "ended")) {
    capture(1, "before\n", 0), ended(0), capture(2, "info\n", 0), capture(3, "warning\n", 0);
    return 70;
  }
  if (!strcmp(end, "aborted")) capture(3, "before\n", 0), aborted("file.c:1: failed\n");
  if (!strcmp(end, "signalled")) signalled(6);
}
