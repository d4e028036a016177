/*
 * Runs the trap (ffi/native/trap.c) as ffi/native/native.ts and ffi/native/trap.ts do, where Deno itself can't be run: on another processor or system.
 * trap_native_test.ts compiles it, gives it the code in a file with where its functions begin, and reads what it prints: a line a case.
 *
 * It stands for Deno: machine code without a word on how to unwind it, as V8 makes it, calls the functions of ggml's libraries and those of
 * trap_library.cpp.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long word;

/* The system. */

#ifdef _WIN32
#include <windows.h>
typedef HANDLE thread;
static void *pages(size_t size) { return VirtualAlloc(0, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE); }
static void make_code(void *code, size_t size) {
  DWORD old;
  VirtualProtect(code, size, PAGE_EXECUTE_READ, &old), FlushInstructionCache(GetCurrentProcess(), code, size);
}
static void *open_library(const char *path) { return LoadLibraryA(path); }
static void *symbol(void *library, const char *name) { return (void *)GetProcAddress(library, name); }
static thread start_thread(void *function, void *argument) { return CreateThread(0, 1 << 20, function, argument, 0, 0); }
static word join(thread t) {
  DWORD result = 0;
  WaitForSingleObject(t, INFINITE), GetExitCodeThread(t, &result), CloseHandle(t);
  return result;
}
static word thread_number(void) { return GetCurrentThreadId(); }
static void prepare_thread(void) {}
#else
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
typedef pthread_t thread;
static void *pages(size_t size) { return mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void make_code(void *code, size_t size) {
  mprotect(code, size, PROT_READ | PROT_EXEC), __builtin___clear_cache(code, (char *)code + size);
}
static void *open_library(const char *path) { return dlopen(path, RTLD_LAZY | RTLD_GLOBAL); }
static void *symbol(void *library, const char *name) { return dlsym(library, name); }
static thread start_thread(void *function, void *argument) {
  pthread_t t;
  pthread_attr_t small;
  pthread_attr_init(&small), pthread_attr_setstacksize(&small, 1 << 20);
  pthread_create(&t, &small, function, argument);
  return t;
}
static word join(thread t) {
  void *result;
  pthread_join(t, &result);
  return (word)result;
}
static word thread_number(void) { return pthread_self(); }
/* Rust gives each of its threads a stack for signals. */
static void prepare_thread(void) {
  stack_t stack = {.ss_sp = pages(0x10000), .ss_size = 0x10000};
  sigaltstack(&stack, 0);
}
#endif

/* V8's machine code. */

/*
 * `through` calls as a struct call says, and looks whether the registers that C saves for its caller still hold what they did: the
 * address of the struct and 1, 2, 3 …, which are the digits of `sum` then.
 */
struct call {
  word function, arguments[8], result;
  union {
    word traps; /* for `aside` */
    word sum;   /* for `through` */
  };
};
extern char through_begin[], through_end[];
#if defined(_WIN32)
__asm__(".globl through_begin\nthrough_begin:\n"
        "push %rbx\n push %rbp\n push %rdi\n push %rsi\n push %r12\n push %r13\n push %r14\n push %r15\n sub $232, %rsp\n"
        ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movups %xmm\\n, \\n*16-32(%rsp)\n .endr\n"
        "mov %rcx, %rbx\n lea 1(%rbx), %rbp\n lea 2(%rbx), %rdi\n lea 3(%rbx), %rsi\n lea 4(%rbx), %r12\n lea 5(%rbx), %r13\n"
        "lea 6(%rbx), %r14\n lea 7(%rbx), %r15\n"
        ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n lea \\n+2(%rbx), %rax\n movq %rax, %xmm\\n\n punpcklqdq %xmm\\n, %xmm\\n\n .endr\n"
        "mov 40(%rbx), %rax\n mov %rax, 32(%rsp)\n mov 48(%rbx), %rax\n mov %rax, 40(%rsp)\n"
        "mov 8(%rbx), %rcx\n mov 16(%rbx), %rdx\n mov 24(%rbx), %r8\n mov 32(%rbx), %r9\n call *(%rbx)\n mov %rax, 72(%rbx)\n"
        "xor %ecx, %ecx\n"
        ".irp r, rbp, rdi, rsi, r12, r13, r14, r15\n sub %rbx, %\\r\n .endr\n"
        "xor %ecx, %ecx\n"
        ".irp r, rbp, rdi, rsi, r12, r13, r14, r15\n imul $19, %rcx, %rcx\n add %\\r, %rcx\n .endr\n"
        ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movq %xmm\\n, %rax\n sub %rbx, %rax\n imul $19, %rcx, %rcx\n add %rax, %rcx\n"
        " punpckhqdq %xmm\\n, %xmm\\n\n movq %xmm\\n, %rax\n sub %rbx, %rax\n sub $\\n+2, %rax\n add %rax, %rcx\n .endr\n"
        "mov %rcx, 80(%rbx)\n"
        ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movups \\n*16-32(%rsp), %xmm\\n\n .endr\n"
        "add $232, %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rsi\n pop %rdi\n pop %rbp\n pop %rbx\n ret\n"
        ".globl through_end\nthrough_end:\n");
enum { SAVED = 17 };
#elif defined(__x86_64__)
__asm__(".globl through_begin\nthrough_begin:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n sub $8, %rsp\n"
        "mov %rdi, %rbx\n lea 1(%rbx), %rbp\n lea 2(%rbx), %r12\n lea 3(%rbx), %r13\n lea 4(%rbx), %r14\n lea 5(%rbx), %r15\n"
        "mov 8(%rbx), %rdi\n mov 16(%rbx), %rsi\n mov 24(%rbx), %rdx\n mov 32(%rbx), %rcx\n mov 40(%rbx), %r8\n mov 48(%rbx), %r9\n"
        "xor %eax, %eax\n call *(%rbx)\n mov %rax, 72(%rbx)\n"
        "xor %ecx, %ecx\n"
        ".irp r, rbp, r12, r13, r14, r15\n sub %rbx, %\\r\n imul $19, %rcx, %rcx\n add %\\r, %rcx\n .endr\n"
        "mov %rcx, 80(%rbx)\n"
        "add $8, %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
        ".globl through_end\nthrough_end:\n");
enum { SAVED = 5 };
#else
__asm__(".globl through_begin\nthrough_begin:\n"
        "sub sp, sp, 192\n stp x29, x30, [sp]\n stp x19, x20, [sp, 16]\n stp x21, x22, [sp, 32]\n stp x23, x24, [sp, 48]\n"
        "stp x25, x26, [sp, 64]\n stp x27, x28, [sp, 80]\n stp d8, d9, [sp, 96]\n stp d10, d11, [sp, 112]\n stp d12, d13, [sp, 128]\n"
        "stp d14, d15, [sp, 144]\n mov x19, x0\n"
        ".irp n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n add x\\n, x19, \\n-19\n .endr\n"
        ".irp n, 8, 9, 10, 11, 12, 13, 14, 15\n add x9, x19, \\n+3\n fmov d\\n, x9\n .endr\n"
        "ldp x16, x0, [x19]\n ldp x1, x2, [x19, 16]\n ldp x3, x4, [x19, 32]\n ldr x5, [x19, 48]\n blr x16\n str x0, [x19, 72]\n"
        "mov x9, 0\n mov x10, 19\n"
        ".irp n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n sub x11, x\\n, x19\n madd x9, x9, x10, x11\n .endr\n"
        ".irp n, 8, 9, 10, 11, 12, 13, 14, 15\n fmov x11, d\\n\n sub x11, x11, x19\n madd x9, x9, x10, x11\n .endr\n"
        "str x9, [x19, 80]\n"
        "ldp d14, d15, [sp, 144]\n ldp d12, d13, [sp, 128]\n ldp d10, d11, [sp, 112]\n ldp d8, d9, [sp, 96]\n ldp x27, x28, [sp, 80]\n"
        "ldp x25, x26, [sp, 64]\n ldp x23, x24, [sp, 48]\n ldp x21, x22, [sp, 32]\n ldp x19, x20, [sp, 16]\n ldp x29, x30, [sp]\n"
        "add sp, sp, 192\n ret\n"
        ".globl through_end\nthrough_end:\n");
enum { SAVED = 18 };
#endif

static void (*through)(struct call *);

enum { BASE = 19 };

static word expected_sum(void) {
  word sum = 0;
  for (word i = 1; i <= SAVED; i++) sum = sum * BASE + i;
  return sum;
}

/* The trap. */

struct trap { /* its first words and its text */
  struct trap *next;
  word kind, place, node, tensor, address;
  char text[4096];
};
struct message { /* of the log */
  struct message *next;
  word level, length;
  char text[];
};
struct hearing {
  word on;
  struct message *first;
};
struct slot {
  word count;
  struct trap *first;
  word others[3];
  struct hearing hearing;
};
static struct slot *slot;
static struct trap *(*take_traps)(struct trap **);

/* What `forward` calls, what was caught, and what is heard. */
struct forwarded {
  word function, traps;
  struct hearing hearing;
};
static void *forward;
#define CALL_MARK 0x9e6b31c4f2a85d07

static void print(word level, const char *text, void *user_data) { (void)level, (void)user_data, printf("printed: %s\n", text); }
static void leave(word first, word second) { printf("exit %lld %llu\n", (long long)first, second), _exit((int)second); }

static const char *const KINDS[] = {"assertion", "exception", "division", "null pointer", "stack overflow", "short file", "read only", "abort"};
static const char *const PLACES[] = {"call", "kernel", "thread"};

static void forget(struct trap *traps) {
  while (traps != 0) {
    struct trap *next = traps->next;
    free(traps);
    traps = next;
  }
}

/* What a trap says, without the file and line of assertions. */
static const char *message_of(const struct trap *trap) {
  const char *message = trap->kind == 0 ? strstr(trap->text, ": ") : trap->kind == 7 ? strstr(trap->text, ": Assertion") : 0;
  return message != 0 ? message + 2 : trap->text;
}

/* Prints what was caught, and frees it. */
static void show(struct trap *traps) {
  struct trap *first = traps;
  char line[5000], last[5000] = "";
  if (traps == 0) printf("; nothing");
  while (traps != 0) {
    const struct trap *trap = traps;
    const char *text = message_of(trap);
    int length = snprintf(line, sizeof line, "; %s in %s", KINDS[trap->kind], PLACES[trap->place]);
    if (trap->node != 0) length += snprintf(line + length, 100, " of node %llu", trap->node - 1);
    if (trap->kind == 3) length += snprintf(line + length, 100, " 0x%llx", trap->address);
    if (*text != 0) snprintf(line + length, 4096, ": %.*s", (int)strcspn(text, "\n"), text);
    if (strcmp(line, last)) printf("%s", line); /* other threads may have failed of the same */
    strcpy(last, line);
    traps = trap->next;
  }
  forget(first);
}

/* Of machine code: what `bsearch` calls to call a function by a frame, whose registers and stack are these words. */
static void *invoke;
#if defined(_WIN32)
enum { REGISTERS = 4 };
#elif defined(__x86_64__)
enum { REGISTERS = 6 };
#else
enum { REGISTERS = 8 };
#endif
enum { STACK = 27, STACKED = 29, RESULT = 30, FRAME = 40 };

static void call_by_invoke(struct call *call) {
  word frame[FRAME + 8] = {0};
  for (int i = 0; i < 8; i++) frame[i < REGISTERS ? i : FRAME + i - REGISTERS] = call->arguments[i];
  frame[STACK] = (word)(frame + FRAME), frame[STACKED] = 8 - REGISTERS, frame[RESULT] = 99;
  struct call search = {(word)bsearch, {(word)frame, call->function, 1, 1, (word)invoke}, 0, {0}};
  through(&search);
  call->result = frame[RESULT], call->sum = search.result == call->function ? search.sum : 0;
}

static int by_invoke;

/* Calls, on this thread, and prints what came of it. */
static word attempt(const char *name, void *function, word a, word b, word c, word d, word e, word f) {
  struct call call = {(word)function, {a, b, c, d, e, f}, 99, {0}};
  (by_invoke ? call_by_invoke : through)(&call);
  if (by_invoke) printf("invoked, ");
  printf("%s: %lld", name, (long long)call.result);
  if (call.sum != expected_sum()) printf(" REGISTERS %llx", call.sum);
  if (slot->count != 0) {
    slot->count = 0;
    show(take_traps(&slot->first));
  }
  puts("");
  return call.result;
}

/* ggml. */

static void *ggml_base, *ggml_cpu, *ours;
static void *ggml(const char *name) {
  void *found = symbol(ggml_cpu, name);
  return found != 0 ? found : symbol(ggml_base, name);
}

static void *new_context(size_t size) {
  struct { size_t size; void *buffer; _Bool no_alloc; } params = {size, 0, 0};
  return ((void *(*)(__typeof__(params)))ggml("ggml_init"))(params);
}
static word new_tensor(void *context, int type, long long n, long long m) {
  return (word)((void *(*)(void *, int, long long, long long))ggml("ggml_new_tensor_2d"))(context, type, n, m);
}
static word sqr(void *context, word a) { return (word)((void *(*)(void *, void *))ggml("ggml_sqr"))(context, (void *)a); }
static word graph_of(void *context, word result) {
  void *graph = ((void *(*)(void *))ggml("ggml_new_graph"))(context);
  ((void (*)(void *, void *))ggml("ggml_build_forward_expand"))(graph, (void *)result);
  return (word)graph;
}

enum { F32 = 0, I32 = 26 };
/* What `fail` of trap_library.cpp does. */
enum { THROW, THROW_NUMBER, USE_NULL, DIVIDE, RECUR, ABORT, ASSERT };

/* Computes what is right, and prints whether it is. */
static void works(void) {
  void *context = new_context(1 << 20);
  word a = new_tensor(context, F32, 3, 1), b = sqr(context, sqr(context, a));
  float *values = ((float *(*)(word))ggml("ggml_get_data_f32"))(a);
  values[0] = 1, values[1] = 2, values[2] = 3;
  int status = ((int (*)(void *, word, int))ggml("ggml_graph_compute_with_ctx"))(context, graph_of(context, b), 2);
  values = ((float *(*)(word))ggml("ggml_get_data_f32"))(b);
  printf("it still works: %d, %g %g %g\n", status, values[0], values[1], values[2]);
  ((void (*)(void *))ggml("ggml_free"))(context);
}

/* A call on a thread that Deno lends. */
static word aside(void *argument) {
  struct call *call = argument;
  struct forwarded forwarded = {call->function, 0};
  const word *of = call->arguments;
  prepare_thread();
  word (*function)(word, word, word, word, word, word, word, word, word, struct forwarded *) = forward;
  call->result = function(of[0], of[1], of[2], of[3], of[4], of[5], of[6], of[7], CALL_MARK, &forwarded);
  call->traps = forwarded.traps;
  return 5;
}

static void try_aside(const char *name, void *function, word a, word b, word c, word d, word e, word f) {
  struct call call = {(word)function, {a, b, c, d, e, f}, 99, {0}};
  word result = join(start_thread(aside, &call));
  printf("aside, %s: %lld", name, (long long)call.result);
  if (result != 5) printf(" ENDED WITH %llu", result);
  show((struct trap *)call.traps);
  puts("");
}

/* Structs and numbers of all kinds, in registers and on the stack. */
struct large { word words[5]; };
struct mixed { double number; int word; };
#define MIXED double a, struct large b, float c, struct mixed d, int e, word f, word g, word h, double i, word j, struct mixed k, word l
static struct large take_mixed(MIXED) {
  return (struct large){{a + b.words[4], c + d.number, d.word + e + f, g + h * i, j + k.number + k.word + l}};
}
static void try_mixed(void) {
  struct forwarded forwarded = {(word)take_mixed, 0};
  struct large (*function)(MIXED, word, word, word, word, word, word, word, word, word, struct forwarded *) = forward;
  struct large b = {{0, 0, 0, 0, 20}};
  struct mixed d = {30.5, 4}, k = {100, 50};
  struct large sum = function(1.0, b, 0.5f, d, 5, 6, 7, 8, 2.0, 9, k, 1000, 0, 0, 0, 0, 0, 0, 0, 0, CALL_MARK, &forwarded);
  printf("aside, structs and numbers: %llu %llu %llu %llu %llu\n", sum.words[0], sum.words[1], sum.words[2], sum.words[3], sum.words[4]);
}

enum { MANY = 100 };

static void try_many_aside(void *mul_mat, void *context, word a, word b, void *fail) {
  struct call calls[MANY];
  thread threads[MANY];
  int right = 0;
  for (int i = 0; i < MANY; i++) {
    struct call calls_of[] = {
      {(word)mul_mat, {(word)context, a, b}, 99, {0}}, {(word)fail, {THROW}, 99, {0}}, {(word)fail, {RECUR}, 99, {0}},
    };
    calls[i] = calls_of[i % 3];
    threads[i] = start_thread(aside, &calls[i]);
  }
  for (int i = 0; i < MANY; i++) {
    word result = join(threads[i]);
    struct trap *trap = (struct trap *)calls[i].traps;
    right += result == 5 && calls[i].result == 0 && trap != 0 && trap->kind == (word[]){0, 1, 4}[i % 3] && trap->next == 0;
    free(trap);
  }
  printf("aside, %d at once: %d are right\n", MANY, right);
}

/* Logs: what is heard of a call is what that call says, and is not printed. */

static void *quiet;
static struct message *(*take)(struct message **);

static void show_heard(const char *of, struct hearing *hearing) {
  printf("heard of %s:", of);
  for (struct message *message = take(&hearing->first); message != 0; message = message->next) printf(" %s", message->text);
  puts("");
}

static void say(const char *text) {
  struct call call = {(word)ggml("ggml_log_internal"), {4, (word)text}, 99, {0}};
  through(&call);
}

static word say_aside(void *argument) {
  struct forwarded *call = argument;
  word (*function)(word, const char *, word, word, word, word, word, word, word, struct forwarded *) = forward;
  prepare_thread();
  for (int i = 0; i < 2; i++) function(4, i == 0 ? "there" : "again", 0, 0, 0, 0, 0, 0, CALL_MARK, call);
  return 5;
}

static void try_logs(char *code) {
  ((void (*)(void *, void *))ggml("ggml_log_set"))(quiet, code);
  struct forwarded call = {(word)ggml("ggml_log_internal"), 0, {1, 0}}, unheard = {call.function, 0, {0, 0}};
  say("nobody hears this");
  slot->hearing.on = 1;
  say("here");
  join(start_thread(say_aside, &call)), join(start_thread(say_aside, &unheard));
  slot->hearing.on = 0;
  say("nor this");
  show_heard("this thread's call", &slot->hearing);
  show_heard("the other's", &call.hearing);
}

/* Kernels. */

static int computed;
static void count_kernel(void *result, void *a, int thread_index, int threads, void *user_data) {
  (void)result, (void)a, (void)threads, (void)user_data;
  if (thread_index == 0) computed++;
}

static word map(void *context, word a, void *kernel, word user_data) {
  return (word)((void *(*)(void *, word, void *, int, word))ggml("ggml_map_custom1"))(context, a, kernel, -1 /* on all threads */, user_data);
}

/* Computes a node that is right, one that fails, and one that must not be computed any more. */
static void try_kernel(const char *name, void *context, word failing) {
  for (word threads = 1; threads <= 2; threads++) {
    char text[80];
    snprintf(text, sizeof text, "a kernel, %llu threads, %s", threads, name);
    word graph = graph_of(context, map(context, failing, count_kernel, 0));
    computed = 0;
    attempt(text, ggml("ggml_graph_compute_with_ctx"), (word)context, graph, threads, 0, 0, 0);
    if (computed != 0) printf("COMPUTED\n");
    try_aside(text, ggml("ggml_graph_compute_with_ctx"), (word)context, graph, threads, 0, 0, 0);
    if (computed != 0) printf("COMPUTED\n");
    forget(take_traps(0)); /* of the other threads */
  }
}

static void try_all(void) {
  void *context = new_context(128 << 20), *gguf = ((void *(*)(void))ggml("gguf_init_empty"))();
  word ctx = (word)context, a = new_tensor(context, F32, 64, 32), b = new_tensor(context, F32, 65, 8), number = new_tensor(context, I32, 64, 1);
  void *mul_mat = ggml("ggml_mul_mat"), *asserts = ggml("ggml_get_unary_op"), *null = ggml("ggml_nbytes"), *set_array = ggml("gguf_set_arr_data");
  void *fail = symbol(ours, "fail"), *within = symbol(ours, "within"), *kernel = symbol(ours, "kernel");
  int (*destroyed)(void) = symbol(ours, "take_destroyed");

  attempt("an assertion", mul_mat, ctx, a, b, 0, 0, 0);
  attempt("a null pointer", null, 0, 0, 0, 0, 0, 0);
  attempt("a jump to a null pointer", symbol(ours, "jumps"), 0, 0, 0, 0, 0, 0);
#ifndef _WIN32
  FILE *cut = tmpfile();
  ftruncate(fileno(cut), 1 << 17);
  void *page = mmap(0, 1 << 17, PROT_READ, MAP_SHARED, fileno(cut), 0);
  ftruncate(fileno(cut), 0);
  attempt("a file that became shorter", symbol(ours, "reads"), (word)page, 0, 0, 0, 0, 0);
  page = mmap(0, 1 << 17, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  attempt("memory that may only be read", symbol(ours, "writes"), (word)page, 0, 0, 0, 0, 0);
#endif
  attempt("an exception of ggml's", set_array, (word)gguf, (word) "key", 0, a, -1ull, 0);
  attempt("an exception with what()", fail, THROW, 0, 0, 0, 0, 0);
  attempt("an exception that is a number", fail, THROW_NUMBER, 0, 0, 0, 0, 0);
#ifndef __aarch64__
  attempt("a division by zero in ggml", ggml("ggml_conv_1d_ph"), ctx, new_tensor(context, F32, 3, 32), a, 0, 1, 0);
  attempt("a division by zero", fail, DIVIDE, 0, 0, 0, 0, 0);
#endif
  destroyed();
  for (int i = 0; i < 3; i++) attempt("a stack overflow", within, (word)fail, RECUR, 0, 0, 0, 0);
  printf("destroyed %d\n", destroyed());
  works();

  attempt("an exception that C++ catches", symbol(ours, "catches"), 1, 0, 0, 0, 0, 0);
  printf("destroyed %d\n", destroyed());
  struct { const char *name; void *function; word argument; } cases[] = {
    {"an assertion", asserts, a}, {"an exception", fail, THROW}, {"a null pointer", fail, USE_NULL},
#ifndef __aarch64__
    {"a division", fail, DIVIDE},
#endif
#ifndef _WIN32
    {"abort()", fail, ABORT}, {"assert()", fail, ASSERT},
#endif
    {"an exception in a catch", symbol(ours, "throws_in_catch"), THROW},
    {"an exception thrown on", symbol(ours, "throws_on"), THROW},
    {"a null pointer in a catch", symbol(ours, "throws_in_catch"), USE_NULL},
    {"an exception where none may be", symbol(ours, "never_throws"), THROW},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    attempt(cases[i].name, within, (word)cases[i].function, cases[i].argument, 0, 0, 0, 0);
    printf("destroyed %d\n", destroyed());
  }
  attempt("around it C++ catches what it throws", symbol(ours, "catches_around"), (word)fail, THROW, 0, 0, 0, 0);
  attempt("around it C++ catches something else", symbol(ours, "catches_around"), (word)fail, THROW_NUMBER, 0, 0, 0, 0);
  attempt("around it C++ catches exceptions", symbol(ours, "catches_around"), (word)asserts, a, 0, 0, 0, 0);
  attempt("around it C++ catches all, an exception", symbol(ours, "catches_all"), (word)fail, THROW, 0, 0, 0, 0);
  for (int i = 0; i < 2; i++) attempt("around it C++ catches all, an assertion", symbol(ours, "catches_all"), (word)asserts, a, 0, 0, 0, 0);
  attempt("an exception in a destructor after an assertion", symbol(ours, "fails_twice"), (word)asserts, a, 0, 0, 0, 0);
  attempt("an exception in a destructor after a null pointer", symbol(ours, "fails_twice"), (word)fail, USE_NULL, 0, 0, 0, 0);
  works();

  try_kernel("an assertion", context, sqr(context, sqr(context, number)));
  try_kernel("an exception", context, map(context, sqr(context, a), kernel, THROW));
  try_kernel("a null pointer", context, map(context, sqr(context, a), kernel, USE_NULL));
#ifndef _WIN32
  try_kernel("abort()", context, map(context, sqr(context, a), kernel, ABORT));
  try_kernel("assert()", context, map(context, sqr(context, a), kernel, ASSERT));
#endif
  works();

  try_aside("an assertion", mul_mat, ctx, a, b, 0, 0, 0);
  try_aside("an exception", set_array, (word)gguf, (word) "key", 0, a, -1ull, 0);
  try_aside("a null pointer", null, 0, 0, 0, 0, 0, 0);
#ifndef _WIN32
  try_aside("assert()", fail, ASSERT, 0, 0, 0, 0, 0);
  sigset_t blocked;
  pthread_sigmask(0, 0, &blocked);
  printf("abort() and assert() leave SIGABRT blocked: %d\n", sigismember(&blocked, SIGABRT));
#endif
  word deep = new_tensor(context, F32, 1, 1);
  for (int i = 0; i < 40000; i++) deep = sqr(context, deep);
  void *graph = ((void *(*)(void *, size_t, _Bool))ggml("ggml_new_graph_custom"))(context, 50000, 0);
  try_aside("a stack overflow in ggml", ggml("ggml_build_forward_expand"), (word)graph, deep, 0, 0, 0, 0);
  try_many_aside(mul_mat, context, a, b, fail);
  try_mixed();
  by_invoke = 1;
  attempt("an assertion", mul_mat, ctx, a, b, 0, 0, 0);
  attempt("a null pointer", null, 0, 0, 0, 0, 0, 0);
  attempt("a jump to a null pointer", symbol(ours, "jumps"), 0, 0, 0, 0, 0, 0);
  attempt("an exception of ggml's", set_array, (word)gguf, (word) "key", 0, a, -1ull, 0);
  destroyed();
  attempt("an exception", within, (word)fail, THROW, 0, 0, 0, 0);
  for (int i = 0; i < 3; i++) attempt("a stack overflow", within, (word)fail, RECUR, 0, 0, 0, 0);
  printf("destroyed %d\n", destroyed());
  attempt("a kernel", ggml("ggml_graph_compute_with_ctx"), ctx, graph_of(context, sqr(context, number)), 2, 0, 0, 0);
  forget(take_traps(0));
  attempt("what doesn't fail", asserts, (word)((void *(*)(void *, word))ggml("ggml_abs"))(context, a), 0, 0, 0, 0, 0);
  by_invoke = 0;
  printf("a thread of C's own: %llu", join(start_thread(symbol(ours, "start"), (void *)THROW)));
  slot->count = 0, show(take_traps(0)), puts("");
  word errors = 0;
  for (int i = 0; i < 20000; i++) {
    struct call call = {(word)mul_mat, {ctx, a, b}, 99, {0}};
    through(&call);
    errors += call.result == 0 && slot->count == 1;
    slot->count = 0, free(take_traps(&slot->first));
  }
  printf("20000 assertions: %llu are right\n", errors);
  works();
}

/* What isn't ggml's goes where it went before. */

static void passed_on(void) { printf("passed on\n"), _exit(3); }

#ifdef _WIN32
static void end_by_abort(void) { ((void (*)(void))GetProcAddress(GetModuleHandleA("ucrtbase.dll"), "abort"))(); }
#else
static void end_by_abort(void) { abort(); }
static void abort_in_handler(int unused) { (void)unused, abort(); }

/* The stack for signals, as small as Rust's, with a page below that nobody may use. */
static void shrink_stack(void) {
  char *memory = pages(0x10000);
  mprotect(memory, 0x8000, PROT_NONE);
  stack_t stack = {.ss_sp = memory + 0x8000, .ss_size = 8192};
  sigaltstack(&stack, 0);
}
static int overflow_stack(int depth) {
  volatile char frame[512];
  frame[0] = (char)depth;
  return overflow_stack(depth + 1) + frame[0];
}
#endif

static void fail_elsewhere(const char *scenario) {
  if (!strcmp(scenario, "fault")) *(volatile int *)8 = 1;
  if (!strcmp(scenario, "fault in the C library")) {
    void *(*volatile set)(void *, int, size_t) = memset; /* no compiler sees through that */
    set(0, 1, 100);
  }
  if (!strncmp(scenario, "abort", 5)) end_by_abort();
#ifndef _WIN32
  if (!strcmp(scenario, "SIGABRT ignored")) raise(SIGABRT), printf("ignored\n");
  if (!strcmp(scenario, "SIGABRT handled")) raise(SIGABRT);
  if (!strcmp(scenario, "SIGABRT in a handler")) overflow_stack(0);
  static char memory[64]; /* not from malloc */
  if (!strcmp(scenario, "SIGABRT of a broken heap")) ((void (*)(char *))symbol(ours, "frees"))(memory + 33);
#endif
}

#ifdef _WIN32
static LONG filter(EXCEPTION_POINTERS *unused) { return (void)unused, passed_on(), 0; }
static void expect_others(const char *unused) { (void)unused, SetUnhandledExceptionFilter(filter); }
#else
static void handle(int unused) { (void)unused, passed_on(); }
static void expect_others(const char *scenario) {
  signal(SIGSEGV, handle), signal(SIGFPE, handle);
  if (!strcmp(scenario, "SIGABRT ignored")) signal(SIGABRT, SIG_IGN);
  if (!strcmp(scenario, "SIGABRT handled")) signal(SIGABRT, handle);
  if (!strcmp(scenario, "SIGABRT in a handler")) signal(SIGSEGV, abort_in_handler), shrink_stack(); /* as Rust, of a full stack */
}
#endif

/* FILE, where install, slot, take_traps, forward, invoke, quiet and take begin in it, each part of ggml, our own library, what to try, the words of struct layouts */
int main(int count, char **arguments) {
  word at[7], layouts[16] = {0};
  for (int i = 0; i < 7; i++) at[i] = strtoull(arguments[2 + i], 0, 10);
  const char *scenario = arguments[12];
  for (int i = 13; i < count; i++) layouts[i - 13] = strtoull(arguments[i], 0, 10);
  prepare_thread();
  setvbuf(stdout, 0, _IONBF, 0);
  char *code = pages(0x11000);
  FILE *file = fopen(arguments[1], "rb");
  if (file == 0 || fread(code, 1, 0x10000, file) == 0) return printf("can't read %s\n", arguments[1]), 2;
  make_code(code, 0x10000);
  ggml_base = open_library(arguments[9]), ggml_cpu = open_library(arguments[10]), ours = open_library(arguments[11]);
  if (!ggml_base || !ggml_cpu || !ours) return printf("can't open ggml\n"), 2;
  word values[14] = {(word)print, (word)malloc, (word)free, (word)thread_number, -1, (word)leave, -1, 70, 4};
  memcpy(code + 0x10000, values, sizeof values);
  word (*install)(void **, void *, word *) = (void *)(code + at[0]);
  struct slot *(*make_slot)(void) = (void *)(code + at[1]);
  take_traps = (void *)(code + at[2]), forward = code + at[3], invoke = code + at[4], quiet = code + at[5], take = (void *)(code + at[6]);
  char *jit = pages(0x1000);
  memcpy(jit, through_begin, through_end - through_begin);
  make_code(jit, 0x1000);
  through = (void *)jit;

  expect_others(scenario);
#ifdef _WIN32
  void *libraries[] = {ggml_cpu, ggml_base, GetModuleHandleA("kernel32.dll"), 0}, *look_up = GetProcAddress;
#else
  void *libraries[] = {ggml_cpu, 0}, *look_up = dlsym;
#endif
  if (install(libraries, look_up, layouts) != 1) return printf("not installed\n"), 2;
  slot = make_slot();
  if (!strcmp(scenario, "abort, reported")) ((word *)(code + 0x10000))[13] = (word) "report";
  if (!strcmp(scenario, "all")) try_logs(code), try_all();
  else fail_elsewhere(scenario);
  return 0;
}
