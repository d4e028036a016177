/*
 * Tries the trap (ffi/trap.c) from C, on the real library, as JavaScript does: trap_native_test.ts compiles it for a processor and gives it the
 * machine code and where its functions begin. Calls go through code that no library has, as V8's does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef unsigned long long word;
struct trap { struct trap *next; word kind, place, node, tensor, address; char text[4096]; };
struct slot { word count; struct trap *first; };
struct call { void *function; word arguments[8], result; struct trap *trap; };
struct tensor;
struct params { size_t size; void *buffer; _Bool no_alloc; };

static void *library;
static struct slot *slot;
static struct trap *(*take)(struct trap **);
static word (*run)(struct call *);
static word (*jump)(word, word, word, word, word, void *);

static void *find(const char *name) {
  void *found = dlsym(library, name);
  if (found == 0) printf("there is no %s\n", name), exit(1);
  return found;
}

/* Code of no library, which calls its sixth argument with the other five. */
static void make_jump(void) {
#if defined(__x86_64__)
  static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0x41, 0xff, 0xd1, 0x48, 0x83, 0xc4, 0x08, 0xc3}; /* sub 8; call *r9; add 8; ret */
#else
  static const unsigned code[] = {0xa9bf7bfd, 0x910003fd, 0xd63f00a0, 0xa8c17bfd, 0xd65f03c0}; /* stp; mov; blr x5; ldp; ret */
#endif
  void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof code);
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(page, (char *)page + sizeof code);
  jump = page;
}
#define CALL(name, a, b, c) jump((word)(a), (word)(b), (word)(c), 0, 0, find(name))

/* What the last call failed of, without the line. */
static const char *failure(struct trap **list) {
  static char text[4200];
  struct trap *trap = take(list);
  if (trap == 0) return "nothing";
  char *slash = strrchr(trap->text, '/');
  snprintf(text, sizeof text, "kind %llu, place %llu, node %llu: %s", trap->kind, trap->place, trap->node, slash ? slash + 1 : trap->text);
  char *line = strchr(text, ':') ? strchr(strchr(text, ':') + 1, ':') : 0;
  if (line) {
    char *end = strchr(line + 1, ':');
    if (end) memmove(line, end, strlen(end) + 1);
  }
  slot->count = 0;
  return text;
}

static void *context;

static void *new_graph(void *result) {
  void *graph = ((void *(*)(void *))find("ggml_new_graph"))(context);
  ((void (*)(void *, void *))find("ggml_build_forward_expand"))(graph, result);
  return graph;
}

/* Computes squares on so many threads; returns whether they are right. */
static int computes(int threads) {
  float *(*data)(void *) = find("ggml_get_data_f32");
  void *a = ((void *(*)(void *, int, long long))find("ggml_new_tensor_1d"))(context, 0, 4);
  for (int i = 0; i < 4; i++) data(a)[i] = i;
  void *squares = ((void *(*)(void *, void *))find("ggml_sqr"))(context, a);
  CALL("ggml_graph_compute_with_ctx", context, new_graph(squares), threads);
  return slot->count == 0 && data(squares)[3] == 9;
}

static void *elsewhere(void *argument) {
  run(argument);
  return 0;
}

/* With a stack for signals, as Deno's threads have. */
static void *with_signal_stack(void *argument) {
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&stack, 0);
  return elsewhere(argument);
}

int main(int count, char **arguments) {
  setvbuf(stdout, 0, _IOLBF, 0);
  char *code = mmap(0, 0x11000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FILE *file = fopen(arguments[1], "rb");
  size_t length = fread(code, 1, 0x10000, file);
  mprotect(code, 0x10000, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(code, code + length);
  library = dlopen(arguments[2], RTLD_NOW);
  if (library == 0) printf("%s\n", dlerror()), exit(1);
  word at[6];
  for (int i = 0; i < 6; i++) at[i] = strtoull(arguments[3 + i], 0, 10);
  word *state = (word *)(code + 0x10000);
  word values[7] = {0, (word)malloc, (word)free, (word)pthread_self, -1ull, (word)_exit, 70};
  memcpy(state, values, sizeof values);
  word system[10];
  for (int i = 0; i < 10; i++) system[i] = strtoull(arguments[9 + i], 0, 10);
  word (*install)(void *, void *, word *) = (void *)(code + at[0]);
  printf("installed %llu\n", install(library, dlsym, system));
  slot = ((struct slot * (*)(void))(code + at[1]))();
  take = (void *)(code + at[2]);
  run = (void *)(code + at[3]);
  make_jump();

  context = ((void *(*)(struct params))find("ggml_init"))((struct params){64 << 20, 0, 0});
  void *(*tensor2)(void *, int, long long, long long) = find("ggml_new_tensor_2d");
  void *a = tensor2(context, 0, 64, 32), *b = tensor2(context, 0, 65, 8);
  printf("result %llu\n", CALL("ggml_mul_mat", context, a, b));
  printf("%s\n", failure(&slot->first));
  int failed = 0;
  for (int i = 0; i < 1000; i++) failed += CALL("ggml_mul_mat", context, a, b) == 0 && strcmp(failure(&slot->first), "nothing") != 0;
  printf("%d of 1000\n", failed);

  CALL("ggml_get_data", 0, 0, 0);
  printf("%s\n", failure(&slot->first));

  void *whole = ((void *(*)(void *, int, long long))find("ggml_new_tensor_1d"))(context, 26, 64);
  for (int threads = 1; threads <= 2; threads++) {
    void *squares = ((void *(*)(void *, void *))find("ggml_sqr"))(context, whole);
    CALL("ggml_graph_compute_with_ctx", context, new_graph(((void *(*)(void *, void *))find("ggml_sqrt"))(context, squares)), threads);
    printf("%s\n", failure(&slot->first));
    while (take(0));
    slot->count = 0;
    printf("computes %d\n", computes(threads));
  }

  struct call *calls = calloc(100, sizeof *calls);
  pthread_t threads[100];
  for (int i = 0; i < 100; i++) {
    calls[i] = (struct call){find(i % 2 ? "ggml_can_repeat" : "ggml_mul_mat"), {(word)context, (word)a, (word)b}};
    if (i % 2) calls[i].arguments[0] = calls[i].arguments[1] = (word)a;
    pthread_create(&threads[i], 0, elsewhere, &calls[i]);
  }
  int right = 0;
  for (int i = 0; i < 100; i++) {
    pthread_join(threads[i], 0);
    right += i % 2 ? calls[i].trap == 0 && (calls[i].result & 1) == 1 : calls[i].trap != 0 && calls[i].result == 0;
  }
  printf("%d of 100 at once\n", right);

  void *throwing = dlopen(arguments[19], RTLD_NOW);
  if (throwing == 0) printf("%s\n", dlerror()), exit(1);
#define TEST(name, argument) jump((word)(argument), 0, 0, 0, 0, dlsym(throwing, name))
  printf("caught by itself: %llu\n", TEST("test_caught", 0));
  struct call thrown = {dlsym(throwing, "test_throws"), {7}};
  run(&thrown);
  printf("%s\n", failure(&thrown.trap));
  for (int i = 0; i < 3; i++) TEST("test_throws", 7), printf("%s\n", failure(&slot->first));
  TEST("test_noexcept", 0), printf("%s\n", failure(&slot->first));
  TEST("test_aborts", find("ggml_abort")), printf("%s\n", failure(&slot->first));
  printf("swallowed: %llu\n", TEST("test_swallows", find("ggml_abort")));
  printf("%s\n", failure(&slot->first));
  TEST("test_throws", 7), printf("%s\n", failure(&slot->first));
  TEST("test_jumps", 0), printf("%s\n", failure(&slot->first));
  printf("%llu destroyed\n", TEST("test_destroyed", 0));
  TEST("test_destructor", find("ggml_abort")), printf("%s\n", failure(&slot->first));

  void *graph = ((void *(*)(void *, size_t, _Bool))find("ggml_new_graph_custom"))(context, 80000, 0);
  void *sum = tensor2(context, 0, 1, 1);
  for (int i = 0; i < 70000; i++) sum = ((void *(*)(void *, void *, void *))find("ggml_add_inplace"))(context, sum, sum);
  struct call deep = {find("ggml_build_forward_expand"), {(word)graph, (word)sum}};
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 1 << 20);
  pthread_create(&threads[0], &small, with_signal_stack, &deep);
  pthread_join(threads[0], 0);
  printf("%s\n", failure(&deep.trap));
  printf("computes %d\n", computes(2));
  return 0;
}
