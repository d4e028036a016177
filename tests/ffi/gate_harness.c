/*
 * Runs the gates of ffi/native/gate.c as ffi/native/gates.ts does, by a calling convention: native_test.ts compiles it with CONVENTION, and gives it the
 * code in a file, what stands before a gate in hexadecimal digits, how far a gate lies behind that, where the functions begin, and the words of a frame for `invoke`.
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
enum { THREADS = 3, CALLS = 2000 };

static pthread_t home_thread;
static C word thread(void) { return pthread_self(); }
static C void acquire(void *lock) { pthread_mutex_lock(lock); }
static C void give_back(void *lock) { pthread_mutex_unlock(lock); }
static C int wait_for(void *changed, void *lock, word a, word b) { return (void)a, (void)b, pthread_cond_wait(changed, lock); }
static C void tell(void *changed) { pthread_cond_broadcast(changed); }

struct result { double of[5]; };
typedef C double many(int, double, long long, float, long long, double, long long, int, double, long long, short, double, double, float);
typedef C struct result structs(double, const char *);

static int elsewhere; /* calls that didn't come on the thread that they belong to */
static C double sum(int a, double b, long long c, float d, long long e, double f, long long g, int h, double i, long long j, short k, double l, double m, float n) {
  elsewhere += !pthread_equal(pthread_self(), home_thread);
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n;
}
static C struct result five(double x, const char *text) { return (struct result){{x, x + 1, x + 2, x + 3, text[0]}}; }

static many *sum_gate;
static structs *five_gate;
static int wrong, ended;

static int right(int i) {
  struct result result = five_gate(i, "A");
  return sum_gate(i, 1, -2, 3, 1ll << 40, 5, 6, -7, 8, 9, -10, 11, 12, 13) == sum(i, 1, -2, 3, 1ll << 40, 5, 6, -7, 8, 9, -10, 11, 12, 13)
    && result.of[0] == i && result.of[3] == i + 3 && result.of[4] == 'A';
}

static void *caller(void *stop) {
  for (int i = 0; i < CALLS; i++) {
    double before = sum_gate(i, 1, -2, 3, 1ll << 40, 5, 6, -7, 8, 9, -10, 11, 12, 13);
    struct result result = five_gate(i, "A");
    if (before != i + 2 - 6 + 12 + 5.0 * (1ll << 40) + 30 + 42 - 56 + 72 + 90 - 110 + 132 + 156 + 182 || result.of[0] != i || result.of[4] != 'A') wrong++;
  }
  __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
  ((C void (*)(word *))stop)((word *)0);
  return 0;
}

static word home[64];
static void *stop_function;
static C void stop(word *unused) { (void)unused, ((C void (*)(word *))stop_function)(home); }

static void *last_caller(void *unused) {
  struct result result = five_gate(7, "A");
  printf("left %g %g\n", sum_gate(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), result.of[0] + result.of[4]), fflush(stdout);
  return unused;
}

static word *open_gate(word *(C *take)(void), void *entry, void *function, word bytes) {
  word *gate = take(), words[6] = { (word)entry, (word)function, (word)home, 16, bytes, 0 };
  memcpy(gate, words, sizeof words);
  return gate;
}

int main(int count, char **arguments) {
  word at[9], distance = strtoull(arguments[3], 0, 10);
  for (int i = 0; i < 9; i++) at[i] = strtoull(arguments[4 + i], 0, 10);
  char *code = mmap(0, 0x11000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FILE *file = fopen(arguments[1], "rb");
  size_t length = fread(code, 1, 0x10000, file);
  mprotect(code, 0x10000, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(code, code + length);
  word *state = (word *)(code + 0x10000);
  state[3] = (word)thread, state[4] = ~0ull;

  char *block = mmap(0, 2 * distance, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (word at = 64; at < distance; at += 64)
    for (int i = 0; arguments[2][2 * i] != 0; i++) sscanf(arguments[2] + 2 * i, "%2hhx", block + at + i);
  mprotect(block, distance, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(block, block + distance);
  ((word *)(block + distance))[1] = distance / 64 - 1;
  ((C void (*)(void *))(code + at[6]))(block + distance);

  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  home_thread = pthread_self();
  word words[8] = { (word)home_thread, (word)acquire, (word)give_back, (word)wait_for, (word)tell, (word)&lock, (word)&changed, 1 };
  memcpy(home, words, sizeof words);
  word *(C *take)(void) = (void *)(code + at[4]);
  word *first = open_gate(take, code + at[0], sum, 0), *second = open_gate(take, code + at[0], five, sizeof(struct result));
  sum_gate = (void *)((char *)first - distance), five_gate = (void *)((char *)second - distance);
  printf("here %d\n", right(5)), fflush(stdout);

  word frame[100];
  for (int i = 13; i < count; i++) frame[i - 13] = strtoull(arguments[i], 0, 10);
  frame[27] = (word)(frame + 40);
  int found = ((C int (*)(void *, void *))(code + at[8]))(frame, sum);
  printf("invoked %d %.0f\n", found, *(double *)(frame + 32));

  C void (*await)(word *) = (void *)(code + at[1]);
  C void (*serve)(word *) = (void *)(code + at[3]);
  stop_function = code + at[2];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, caller, (void *)stop);
  while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < THREADS) {
    home[8] = 0;
    if (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) == THREADS) break;
    await(home), serve(home);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  printf("%d calls of others, %d wrong, %d elsewhere\n", 2 * THREADS * CALLS, wrong, elsewhere), fflush(stdout);

  pthread_create(&threads[0], 0, last_caller, 0);
  usleep(20000);
  ((C void (*)(word *))(code + at[7]))(home);
  pthread_join(threads[0], 0);
  printf("free again %d\n", take() != 0 && first[1] == 0), fflush(stdout);
  return 0;
}
