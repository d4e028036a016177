/*
 * The trap: what would end the process in C becomes a return to whoever called C.
 *
 * ggml calls `aborted` on the thread that failed; C++ calls `terminated` for an exception that nobody catches; the processor's own faults (a
 * division by zero, the use of a null pointer, a stack that overflows) come as signals, whose handler has the thread go on in `stumbled`, as if
 * the instruction had called it. Each walks the stack with the unwinder that C++ libraries have loaded anyway, and picks the way out:
 *
 *   - out of a kernel, to the loop over a graph's nodes, as if the kernel had returned: other threads wait there for this one;
 *   - else out of the call, to the first frame that is no library's: Deno's own, the machine code that V8 made for the call, or `run`;
 *   - else to the C library that called back: a thread of C's own ends, and a process that exits goes on exiting.
 *
 * The frames on the way are unwound, so that C++ runs its destructors, and then the registers are what they were in the frame returned to, with a
 * result of 0. JavaScript finds a `struct trap`: by its thread (`struct slot`), by its call (`struct call`), or among those of C's own threads.
 *
 * Where the loop is, and where it keeps its graph and the number of its node, is learned when it is first asked, by watching it compute a
 * small graph (`learn`): no layout of ggml's is known here. Windows has a trap of its own, trap_windows.c.
 */

#include "native.h"

typedef int reason; /* _Unwind_Reason_Code */
enum { NO_REASON = 0, END_OF_STACK = 5 };

struct context;
struct exception {
  word class;
  void (*cleanup)(int, struct exception *);
  word private[6];
} __attribute__((aligned(16)));

/* The registers that a C function saves for its caller, by their numbers in DWARF, and how far a pointer into an instruction is from its end. */
#if defined(__x86_64__)
enum { INTEGERS = 6, FLOATS = 0 };
static int number(int i) { return i == 0 ? 3 : i == 1 ? 6 : 10 + i; } /* rbx, rbp, r12 to r15 */
#else
enum { INTEGERS = 11, FLOATS = 8 };
static int number(int i) { return i < INTEGERS ? 19 + i : 72 + i - INTEGERS; } /* x19 to x29, d8 to d15 */
#endif

struct registers {
  word saved[INTEGERS + FLOATS];
  word sp, pc;
};

enum { ASSERTION, EXCEPTION, DIVISION, NULL_POINTER, STACK_OVERFLOW };
enum { CALL, KERNEL, THREAD };

enum {
  TEXT = 4096,
  OTHER_STACK = 0x20000, /* bytes to unwind on where the thread's own stack is full */
  LOW = 0x10000,         /* below is what a null pointer and an offset point to */
  WATCHED = 96,          /* how many registers and words of the loop's stack are watched */
  SAMPLES = 6,
  CODE_BYTES = 0x10000,
};

/* What was caught. JavaScript reads the first words and the text, and frees it. */
struct trap {
  struct trap *next;
  word kind, place;
  word node, tensor; /* in a kernel: which node the loop was at, counted from 1, and its tensor; 0: not known */
  word address;      /* of a fault: what was used */
  char text[TEXT];
  word thread;
  word jumped; /* C's function jumped to a null pointer, as to what it calls last: it has no frame any more */
  struct call *call;
  struct registers to;
  struct exception exception;
};

/* One for each thread that runs JavaScript. */
struct slot {
  word count; /* traps since JavaScript last looked, of this thread and of C's own ones; it tests the lower half */
  struct trap *first;
  word thread;
  struct slot *next;
};

/* A call on a thread that Deno lends. */
struct call {
  word (*function)(word, word, word, word, word, word, word, word);
  word arguments[8];
  word result;
  struct trap *trap;
};

/* What a system's structs look like. JavaScript knows. */
struct system {
  word flags, flags_offset;   /* sa_flags: SA_SIGINFO, SA_ONSTACK and SA_RESTART; where they are in struct sigaction */
  word siginfo;               /* SA_SIGINFO */
  word address;               /* si_addr in siginfo_t */
  word machine_pointer;       /* of a pointer to the registers in ucontext_t; 0: they are in it */
  word sp, pc;
  word work_size, work_data, callback; /* in struct ggml_cplan, which the headers show */
};

/* This file's part of the state. */
struct trap_state {
  struct slot *slots;
  struct trap *loose; /* of threads of C's own */
  struct trap *unwinding;
  word lock;
  word installed;
  void *handle; /* of ggml's library */
  void *(*dlsym)(void *, const char *);
  struct system system;
  word deno, libc; /* where these modules begin */
  word abort, compute; /* ggml_abort, ggml_graph_compute */
  word learned;        /* 0: not yet, 1: it can't be, 2: it is, 3: under way */
  word loop[4];        /* the functions between a kernel and ggml_graph_compute, or that one itself */
  word graph, node, pool; /* where the loop keeps these, counted from 1; 0: not known */
  word first_node;        /* what it keeps for the first node */
  word last, status;      /* where the pool keeps the node to stop at and what to answer, counted from 1; 0: not known */
  reason (*backtrace)(reason (*)(struct context *, void *), void *);
  reason (*forced_unwind)(struct exception *, reason (*)(int, int, word, struct exception *, struct context *, void *), void *);
  word (*get_ip)(struct context *);
  word (*get_cfa)(struct context *);
  word (*get_register)(struct context *, int);
  word (*region_start)(struct context *);
  int (*dladdr)(word, void *);
  int (*sigaction)(int, const void *, void *);
  int (*step)(void *); /* of libunwind, on macOS */
  void (*previous_terminate)(void);
  word previous_division[20], previous_fault[20]; /* struct sigaction */
};
#define own (*(struct trap_state *)state.trap)
_Static_assert(sizeof(struct trap_state) <= sizeof state.trap, "the state has room");

#define EXPORT __attribute__((used))
#define BUILTIN(name) own.dlsym(own.handle, name)

static void lock(void) {
  while (__atomic_exchange_n(&own.lock, 1, __ATOMIC_ACQUIRE));
}
static void unlock(void) { __atomic_store_n(&own.lock, 0, __ATOMIC_RELEASE); }

/* Texts. */

static char *append(char *to, const char *end, const char *text) {
  while (to < end && *text != 0) *to++ = *text++;
  *to = 0;
  return to;
}

static int contains(const char *text, const char *part) {
  for (; *text != 0; text++) {
    int i = 0;
    while (part[i] != 0 && text[i] == part[i]) i++;
    if (part[i] == 0) return 1;
  }
  return 0;
}

/* Modules. */

struct module {
  const char *path;
  word base;
  const char *symbol;
  word symbol_address;
};

/* The library that an address lies in. Its base is 0 for machine code that no library has. */
static struct module module_of(word address) {
  struct module module;
  if (own.dladdr(address, &module) == 0) module.base = 0;
  return module;
}

static int is_ggml(struct module module) {
  if (module.base == 0 || module.base == own.deno) return 0;
  const char *name = module.path;
  for (const char *at = name; *at != 0; at++)
    if (*at == '/') name = at + 1;
  return contains(name, "ggml") || contains(name, "llama") || module.base == module_of(own.abort).base;
}

/* Walking. */

static struct registers registers_of(struct context *context) {
  struct registers at;
  for (int i = 0; i < INTEGERS + FLOATS; i++) at.saved[i] = own.get_register(context, number(i));
  at.sp = own.get_cfa(context);
  at.pc = own.get_ip(context);
  return at;
}

extern char code_begin[] __attribute__((visibility("hidden")));
word run(struct call *call) __attribute__((visibility("hidden")));

static int is_here(word pc) { return pc - (word)code_begin < CODE_BYTES; }

struct walk {
  int aborting;     /* ggml_abort was passed */
  int failed;       /* the function that failed was passed */
  int in_compute;   /* ggml_graph_compute was passed */
  int has_kernel, has_call, has_thread;
  struct registers failure, kernel, way_out, thread;
  word graph, node, pool; /* what the loop keeps */
  struct call *call;
};

static int is_loop(word function) {
  for (int i = 0; i < 4; i++)
    if (own.loop[i] != 0 && own.loop[i] == function) return 1;
  return 0;
}

/* What the loop keeps in the n-th of what is watched, counted from 1. */
static word watched(const struct registers *loop, word n) {
  if (n == 0) return 0;
  return n <= INTEGERS ? loop->saved[n - 1] : ((word *)loop->sp)[n - 1 - INTEGERS];
}

static reason visit(struct context *context, void *argument) {
  struct walk *walk = argument;
  word pc = own.get_ip(context);
  if (pc == 0) return END_OF_STACK;
  if (is_here(pc)) {
    if (own.region_start(context) != (word)run) return NO_REASON; /* this file's own functions, above the one that failed */
    walk->has_call = 1;
    walk->way_out = registers_of(context);
    walk->call = (struct call *)walk->way_out.saved[0];
    return END_OF_STACK;
  }
  struct module module = module_of(pc - 1);
  if (module.base == 0 || module.base == own.deno) {
    walk->has_call = (walk->failed || walk->aborting) && !walk->has_thread; /* else the C library called back, as when the process exits: it goes on */
    walk->way_out = registers_of(context);
    return END_OF_STACK;
  }
  word function = own.region_start(context);
  if (!walk->failed) {
    if (function == own.abort) walk->aborting = 1;
    else if ((walk->failed = is_ggml(module))) walk->failure = registers_of(context);
    return NO_REASON;
  }
  if (!walk->has_kernel && is_loop(function)) {
    walk->has_kernel = 1;
    walk->kernel = registers_of(context);
  }
  if (function == own.compute) walk->in_compute = 1;
  if (own.learned == 2 && function == own.loop[0]) { /* the outermost: it has the variables */
    struct registers loop = registers_of(context);
    walk->graph = watched(&loop, own.graph), walk->node = watched(&loop, own.node), walk->pool = watched(&loop, own.pool);
  }
  if (module.base != own.libc) walk->has_thread = 0;
  else if (!walk->has_thread) {
    walk->has_thread = 1;
    walk->thread = registers_of(context);
  }
  return NO_REASON;
}

/* Visits each frame from the caller's on, the first that no library has among them. */
static void walk_stack(reason (*visit)(struct context *, void *), void *argument) {
  if (own.step == 0) {
    own.backtrace(visit, argument);
    return;
  }
  /* macOS: its _Unwind_Backtrace ends before that frame. A context of its functions is a cursor. */
  word machine[256], cursor[256];
  void (*get_context)(void *) = BUILTIN("unw_getcontext");
  void (*init_local)(void *, void *) = BUILTIN("unw_init_local");
  get_context(machine);
  init_local(cursor, machine);
  while (visit((struct context *)cursor, argument) == NO_REASON)
    if (own.step(cursor) <= 0) {
      visit((struct context *)cursor, argument);
      return;
    }
}

/* Learning where the loop over a graph's nodes is. */

struct sample {
  word functions[8]; /* from the kernel's on */
  int count;
  word values[WATCHED];
};

struct learning {
  struct sample samples[SAMPLES];
  int count, done;
  int asked; /* how often whether to stop */
  struct registers last;
};

static reason visit_sample(struct context *context, void *argument) {
  struct learning *learning = argument;
  struct sample *sample = &learning->samples[learning->count];
  word pc = own.get_ip(context);
  if (is_here(pc)) return NO_REASON;
  word function = own.region_start(context);
  if (function != own.compute && sample->count < 8) {
    sample->functions[sample->count++] = function;
    learning->last = registers_of(context);
    return NO_REASON;
  }
  if (sample->count > 0) {
    word end = own.get_cfa(context);
    for (word i = 0; i < WATCHED; i++) {
      int inside = i < INTEGERS || learning->last.sp + 8 * (i - INTEGERS) + 8 <= end;
      sample->values[i] = inside ? watched(&learning->last, i + 1) : 0;
    }
  }
  learning->done = function == own.compute;
  return END_OF_STACK;
}

static void take_sample(struct learning *learning) {
  if (learning->count == SAMPLES) return;
  walk_stack(visit_sample, learning);
  learning->count++;
}

static void first_probe(void *result, void *a, int thread, int threads, void *learning) { take_sample(learning); }
static void second_probe(void *result, void *a, void *b, int thread, int threads, void *learning) { take_sample(learning); }

static int in_all(const struct learning *learning, word function) {
  for (int i = 0; i < SAMPLES; i++) {
    int found = 0;
    for (int j = 0; j < learning->samples[i].count; j++) found |= learning->samples[i].functions[j] == function;
    if (!found) return 0;
  }
  return 1;
}

/* Finds the functions that stand between ggml_graph_compute and kernels of either kind, and their variables. */
static void conclude(const struct learning *learning, word graph, word pool) {
  const struct sample *samples = learning->samples;
  int count = 0;
  for (int i = samples[0].count - 1; i >= 0 && count < 4; i--)
    if (in_all(learning, samples[0].functions[i])) own.loop[count++] = samples[0].functions[i];
  if (count == 0) {
    own.loop[0] = own.compute;
    return;
  }
  for (word i = 0; i < WATCHED; i++) {
    int is_graph = 1, is_node = 1, is_pool = 1;
    for (int k = 0; k < SAMPLES; k++) {
      is_graph &= samples[k].values[i] == graph;
      is_pool &= samples[k].values[i] == pool;
      is_node &= (int)samples[k].values[i] == (int)samples[0].values[i] + k;
    }
    if (is_graph && own.graph == 0) own.graph = i + 1;
    if (is_pool && own.pool == 0) own.pool = i + 1;
    int first = samples[0].values[i];
    if (is_node && own.node == 0 && (first == 0 || first == 1)) own.node = i + 1, own.first_node = first;
  }
}

enum { POOL = 80 /* numbers of 32 bits of a pool that are looked at */, STOP_AT = 3, STATUS_ABORTED = 1, STATUS_FAILED = -1 };

/* Stops the loop before its fourth node. */
static _Bool stops(struct learning *learning) { return ++learning->asked == STOP_AT; }

/* Finds where a pool says at which node to stop, and with which status: there it does so now, and didn't before. */
static void conclude_pool(const int *before, const int *after) {
  for (int i = 0; i < POOL; i++) {
    if (before[i] == after[i]) continue;
    if (after[i] == STOP_AT && before[i] == -1 && own.last == 0) own.last = i + 1;
    else if (after[i] == STATUS_ABORTED && before[i] == 0 && own.status == 0) own.status = i + 1;
  }
}

struct plan { char bytes[256]; };

static void learn(void) {
  struct { word size; void *buffer; _Bool no_alloc; } params = {0x80000, 0, 0};
  void *(*init)(__typeof__(params)) = BUILTIN("ggml_init");
  void (*free_context)(void *) = BUILTIN("ggml_free");
  void *(*new_tensor)(void *, int, long long) = BUILTIN("ggml_new_tensor_1d");
  void *(*map1)(void *, void *, void *, int, void *) = BUILTIN("ggml_map_custom1");
  void *(*map2)(void *, void *, void *, void *, int, void *) = BUILTIN("ggml_map_custom2");
  void *(*new_graph)(void *) = BUILTIN("ggml_new_graph");
  void (*expand)(void *, void *) = BUILTIN("ggml_build_forward_expand");
  void (*pool_params)(void *, int) = BUILTIN("ggml_threadpool_params_init");
  void *(*new_pool)(void *) = BUILTIN("ggml_threadpool_new");
  void (*free_pool)(void *) = BUILTIN("ggml_threadpool_free");
  struct plan (*make_plan)(void *, int, void *) = BUILTIN("ggml_graph_plan");
  int (*compute)(void *, struct plan *) = BUILTIN("ggml_graph_compute");
  if (!init || !free_context || !new_tensor || !map1 || !map2 || !new_graph || !expand) return;
  if (!pool_params || !new_pool || !free_pool || !make_plan || !compute) return;
  struct learning *learning = state.allocate(sizeof *learning + 0x10000);
  if (learning == 0) return;
  for (word i = 0; i < sizeof *learning; i++) ((volatile char *)learning)[i] = 0;
  char *work = (char *)(learning + 1);
  pool_params(work, 1);
  void *context = init(params), *pool = new_pool(work);
  if (context != 0 && pool != 0) {
    void *a = new_tensor(context, 0, 1), *last = a;
    for (int i = 0; i < SAMPLES; i++)
      last = i % 2 ? map2(context, last, a, second_probe, 1, learning) : map1(context, last, first_probe, 1, learning);
    void *graph = new_graph(context);
    expand(graph, last);
    struct plan plan = make_plan(graph, 1, pool);
    *(void **)(plan.bytes + own.system.work_data) = work;
    if (*(word *)(plan.bytes + own.system.work_size) <= 0x10000) {
      int before[POOL];
      compute(graph, &plan);
      for (int i = 0; i < POOL; i++) before[i] = ((volatile int *)pool)[i];
      ((void **)(plan.bytes + own.system.callback))[0] = stops, ((void **)(plan.bytes + own.system.callback))[1] = learning;
      compute(graph, &plan);
      conclude_pool(before, pool);
      if (learning->count == SAMPLES && learning->done) conclude(learning, (word)graph, (word)pool), own.learned = 2;
    }
  }
  if (pool != 0) free_pool(pool);
  if (context != 0) free_context(context);
  state.free(learning);
}

/* Learns it, on the first thread that asks; others wait. */
static void learn_once(void) {
  static const word WAITING = 3;
  word not_yet = 0;
  if (__atomic_compare_exchange_n(&own.learned, &not_yet, WAITING, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    learn();
    if (own.learned == WAITING) __atomic_store_n(&own.learned, 1, __ATOMIC_RELEASE);
  } else
    while (__atomic_load_n(&own.learned, __ATOMIC_ACQUIRE) == WAITING);
}

/* Leaving. */

/* Goes on where the registers say, as if the function called there had returned 0. */
__attribute__((noreturn, visibility("hidden"))) void leave(const struct registers *to);
#if defined(__x86_64__)
__asm__(".text\n.hidden leave\nleave:\n"
        "mov 0(%rdi), %rbx\n mov 8(%rdi), %rbp\n mov 16(%rdi), %r12\n mov 24(%rdi), %r13\n mov 32(%rdi), %r14\n mov 40(%rdi), %r15\n"
        "mov 48(%rdi), %rsp\n mov 56(%rdi), %rcx\n"
        "cld\n xor %eax, %eax\n xor %edx, %edx\n pxor %xmm0, %xmm0\n pxor %xmm1, %xmm1\n jmp *%rcx\n");
#else
__asm__(".text\n.hidden leave\nleave:\n"
        "ldp x19, x20, [x0, 0]\n ldp x21, x22, [x0, 16]\n ldp x23, x24, [x0, 32]\n ldp x25, x26, [x0, 48]\n ldp x27, x28, [x0, 64]\n"
        "ldr x29, [x0, 80]\n ldp d8, d9, [x0, 88]\n ldp d10, d11, [x0, 104]\n ldp d12, d13, [x0, 120]\n ldp d14, d15, [x0, 136]\n"
        "ldp x2, x30, [x0, 152]\n mov sp, x2\n"
        "mov x0, 0\n mov x1, 0\n movi d0, 0\n movi d1, 0\n movi d2, 0\n movi d3, 0\n ret x30\n");
#endif

/* Unwinds from another frame: as if the function there called `unwind` where it called what it is in. */
struct trap;
__attribute__((noreturn, visibility("hidden"))) void unwind_from(const struct registers *frame, struct trap *trap);
#if defined(__x86_64__)
__asm__(".text\n.hidden unwind_from\nunwind_from:\n"
        "mov 0(%rdi), %rbx\n mov 8(%rdi), %rbp\n mov 16(%rdi), %r12\n mov 24(%rdi), %r13\n mov 32(%rdi), %r14\n mov 40(%rdi), %r15\n"
        "mov 48(%rdi), %rsp\n push 56(%rdi)\n mov %rsi, %rdi\n jmp unwind\n");
#else
__asm__(".text\n.hidden unwind_from\nunwind_from:\n"
        "ldp x19, x20, [x0, 0]\n ldp x21, x22, [x0, 16]\n ldp x23, x24, [x0, 32]\n ldp x25, x26, [x0, 48]\n ldp x27, x28, [x0, 64]\n"
        "ldr x29, [x0, 80]\n ldp d8, d9, [x0, 88]\n ldp d10, d11, [x0, 104]\n ldp d12, d13, [x0, 120]\n ldp d14, d15, [x0, 136]\n"
        "ldp x2, x30, [x0, 152]\n mov sp, x2\n mov x0, x1\n b unwind\n");
#endif

/* Hands a trap to JavaScript. */
static void publish(struct trap *trap, int here) {
  lock();
  struct trap **list = &own.loose;
  if (trap->call != 0) list = &trap->call->trap;
  else if (here) {
    for (struct slot *slot = own.slots; slot != 0; slot = slot->next)
      if (slot->thread == trap->thread) {
        slot->count++;
        list = &slot->first;
        break;
      }
  }
  if (list == &own.loose)
    for (struct slot *slot = own.slots; slot != 0; slot = slot->next) slot->count++;
  while (*list != 0) list = &(*list)->next;
  trap->next = 0;
  *list = trap;
  unlock();
}

/* Its unwinding is over. */
static void take_out(struct trap *trap) {
  lock();
  for (struct trap **at = &own.unwinding; *at != 0; at = &(*at)->next)
    if (*at == trap) {
      *at = trap->next;
      break;
    }
  unlock();
}

static void deliver(struct trap *trap) {
  take_out(trap);
  struct registers to = trap->to;
  publish(trap, trap->exception.class);
  leave(&to);
}

static reason stop(int version, int actions, word class, struct exception *exception, struct context *context, void *argument) {
  struct trap *trap = argument;
  if (own.get_cfa(context) == trap->to.sp && own.get_ip(context) == trap->to.pc) deliver(trap);
  return NO_REASON;
}

/* C++ caught what was to unwind it, and goes on by itself. The failure is told all the same. */
static void forgotten(int why, struct exception *exception) {
  struct trap *trap = (struct trap *)((char *)exception - __builtin_offsetof(struct trap, exception));
  take_out(trap);
  publish(trap, trap->exception.class);
}

/* Unwinds to where a trap leads, and goes on there. */
__attribute__((used, noreturn, visibility("hidden"))) void unwind(struct trap *trap) {
  lock();
  for (struct trap *under_way = own.unwinding; under_way != 0; under_way = under_way->next)
    if (under_way->thread == trap->thread && under_way->to.sp == trap->to.sp) { /* a destructor failed, too: none runs any more */
      unlock();
      state.free(trap);
      deliver(under_way);
    }
  trap->next = own.unwinding;
  own.unwinding = trap;
  unlock();
  own.forced_unwind(&trap->exception, stop, trap);
  deliver(trap);
}

/* Finds where a trap leads, and fills it in; 0 if there is no way out. `failure` is the frame of the function that failed. */
static int find_way(struct trap *trap, struct registers *failure) {
  struct walk walk;
  for (int tries = 0; tries < 2; tries++) {
    for (word i = 0; i < sizeof walk; i++) ((volatile char *)&walk)[i] = 0;
    walk.failed = trap->jumped;
    walk_stack(visit, &walk);
    if (own.learned == 2 || !(walk.in_compute || !walk.has_call)) break;
    learn_once();
  }
  trap->thread = this_thread();
  trap->call = walk.call;
  if (walk.has_kernel) trap->place = KERNEL, trap->to = walk.kernel;
  else if (walk.has_call) trap->place = CALL, trap->to = walk.way_out;
  else if (walk.has_thread) trap->place = THREAD, trap->to = walk.thread;
  else return 0;
  trap->node = trap->tensor = 0;
  if (walk.has_kernel && own.graph != 0 && own.node != 0) {
    void *(*graph_node)(word, int) = BUILTIN("ggml_graph_node");
    trap->node = (int)walk.node - (int)own.first_node + 1;
    if (graph_node != 0) trap->tensor = (word)graph_node(walk.graph, trap->node - 1);
  }
  if (walk.has_kernel && own.pool != 0 && own.node != 0 && own.last != 0 && own.status != 0) { /* what follows would compute on garbage */
    int *pool = (int *)walk.pool;
    __atomic_store_n(&pool[own.last - 1], trap->node, __ATOMIC_SEQ_CST);
    __atomic_store_n(&pool[own.status - 1], STATUS_FAILED, __ATOMIC_SEQ_CST);
  }
  trap->exception.class = walk.has_call; /* whether the thread is one of JavaScript's calls */
  trap->exception.cleanup = forgotten;
  *failure = walk.failure;
  return 1;
}

/* Returns if there is no way out. */
static void leave_with(struct trap *trap) {
  struct registers failure;
  if (find_way(trap, &failure)) unwind(trap);
}

static struct trap *new_trap(word kind, const char *text, word more) {
  struct trap *trap = own.installed ? state.allocate(sizeof *trap + more) : 0;
  if (trap == 0) return 0;
  trap->kind = kind;
  trap->address = trap->jumped = 0;
  append(trap->text, trap->text + TEXT - 1, text);
  return trap;
}

static void give_up(void) {
  if (state.report == 0) return;
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}

/* ggml's abort callback: it aborts if this returns. */
EXPORT void aborted(const char *message) {
  struct trap *trap = new_trap(ASSERTION, message, 0);
  if (trap != 0) leave_with(trap);
  print_waiting(); /* it may say why */
  state.print(ERROR, message, 0);
  give_up();
}

/* What C++ says of the exception that nobody catches. */
static void describe(char *text) {
  const char *end = text + TEXT - 1;
  void **(*current_type)(void) = BUILTIN("__cxa_current_exception_type");
  void **thrown = current_type != 0 ? current_type() : 0;
  if (thrown == 0) {
    append(text, end, "std::terminate was called");
    return;
  }
  char *(*demangle)(const char *, char *, word *, int *) = BUILTIN("__cxa_demangle");
  int failed = 1;
  char *name = demangle != 0 ? demangle(thrown[1], 0, 0, &failed) : 0;
  char *at = append(text, end, failed ? thrown[1] : name);
  if (name != 0) state.free(name);
  /* Its what(), if it is a std::exception. */
  void *type = BUILTIN("_ZTISt9exception");
  _Bool (*is_a)(void *, void *, void **, unsigned) = BUILTIN("_ZNKSt9type_info10__do_catchEPKS_PPvj");
  void (*current)(void **) = BUILTIN("_ZSt17current_exceptionv");
  void (*release)(void **) = BUILTIN("_ZNSt15__exception_ptr13exception_ptrD1Ev");
  if (type == 0 || is_a == 0 || current == 0 || release == 0) return;
  is_a = (*(__typeof__(is_a) **)type)[4]; /* of this type of types */
  void *pointer = 0;
#if defined(__x86_64__)
  current(&pointer); /* the result is where the first argument points, as C++ returns an object */
#else
  __asm__ volatile("mov x8, %0\n blr %1" ::"r"(&pointer), "r"(current)
                   : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
                     "x30", "memory");
#endif
  void *object = pointer;
  if (object != 0 && is_a(type, thrown, &object, 1)) {
    const char *(*what)(void *) = (*(__typeof__(what) **)object)[2];
    append(append(at, end, ": "), end, what(object));
  }
  release(&pointer);
}

/* C++'s terminate handler. */
EXPORT void terminated(void) {
  struct trap *trap = new_trap(EXCEPTION, "", 0);
  if (trap != 0) {
    describe(trap->text);
    void *(*current_type)(void) = BUILTIN("__cxa_current_exception_type");
    void (*end_catch)(void) = BUILTIN("__cxa_end_catch");
    if (current_type != 0 && end_catch != 0 && current_type() != 0) end_catch();
    struct registers failure;
    /* Not from here: what calls this handler catches all that passes, and aborts. */
    if (find_way(trap, &failure)) unwind_from(&failure, trap);
  }
  print_waiting();
  if (own.previous_terminate != 0 && state.report == 0) own.previous_terminate();
  if (trap != 0) state.print(ERROR, trap->text, 0);
  give_up();
}

/* Faults. */

/* Where a thread goes on after a fault. At its stack pointer are: the end of the instruction, the stack pointer that it had, and the trap. */
void stumbled(void) __attribute__((visibility("hidden")));
#if defined(__x86_64__)
__asm__(".text\n.hidden stumbled\nstumbled:\n.cfi_startproc\n"
        ".cfi_escape 0x0f, 3, 0x77, 8, 0x06\n" /* the frame is where 8(%rsp) points */
        ".cfi_escape 0x10, 16, 2, 0x77, 0\n"   /* the return address is at (%rsp) */
        "nop\n mov 16(%rsp), %rdi\n call fell\n ud2\n"
        ".cfi_endproc\n");
#else
__asm__(".text\n.hidden stumbled\nstumbled:\n.cfi_startproc\n.cfi_return_column 17\n"
        ".cfi_escape 0x0f, 3, 0x8f, 8, 0x06\n" /* the frame is where [sp, 8] points */
        ".cfi_escape 0x10, 17, 2, 0x8f, 0\n"   /* the return address is at [sp] */
        ".cfi_escape 0x10, 30, 2, 0x8f, 24\n"
        "nop\n str x30, [sp, 24]\n ldr x0, [sp, 16]\n bl fell\n brk 1\n"
        ".cfi_endproc\n");
#endif

/* Ends the process as the signal does that nobody handles; in its handler, when that returns. */
static void die_of(int signal) {
  word action[20];
  for (int i = 0; i < 20; i++) ((volatile word *)action)[i] = 0;
  own.sigaction(signal, action, 0);
  int (*raise)(int) = BUILTIN("raise");
  raise(signal);
}

__attribute__((used, visibility("hidden"))) void fell(struct trap *trap) {
  leave_with(trap);
  /* It was not C that ggml called. */
  int signal = trap->kind == DIVISION ? 8 : 11;
  state.free(trap);
  die_of(signal);
}

/* Whether the library that an address lies in may fault on ggml's behalf. */
static int may_fault(word pc) {
  struct module module = module_of(pc);
  return is_ggml(module) || (module.base != 0 && (module.base == own.libc || contains(module.path, "libstdc++") || contains(module.path, "libgomp")));
}

/* Whether an address lies in what calls C for JavaScript, which calls no null pointer itself. */
static int is_script(word pc) {
  struct module module = module_of(pc);
  return module.base == 0 || module.base == own.deno;
}

/* Hands a signal to whoever had it before. */
static void pass_on(int signal, void *info, void *context) {
  word *previous = signal == 8 ? own.previous_division : own.previous_fault;
  int flags = *(int *)((char *)previous + own.system.flags_offset);
  if (previous[0] <= 1) die_of(signal);
  else if (flags & own.system.siginfo) ((void (*)(int, void *, void *))previous[0])(signal, info, context);
  else ((void (*)(int))previous[0])(signal);
}

/* The handler of SIGFPE and SIGSEGV. */
EXPORT void faulted(int signal, void *info, void *context) {
  char *machine = own.system.machine_pointer ? *(char **)((char *)context + own.system.machine_pointer) : context;
  word *sp = (word *)(machine + own.system.sp), *pc = (word *)(machine + own.system.pc);
  word address = *(word *)((char *)info + own.system.address);
  word end = *pc + 1, top_of_frame = *sp;
  int jumped = 0;
  if (*pc < LOW) { /* a null pointer was called: it is the caller's */
#if defined(__x86_64__)
    end = *(word *)*sp, top_of_frame += 8;
#else
    end = sp[-1]; /* the register that the return address is in */
#endif
    jumped = is_script(end - 1);
  }
  word kind = signal == 8 ? DIVISION : address < LOW ? NULL_POINTER : STACK_OVERFLOW;
  int near = address - (*sp - LOW) < 2 * LOW; /* the guard below the stack */
  struct trap *trap = 0;
  int sent = *(int *)((char *)info + 8) <= 0; /* si_code: by kill, and not by the processor */
  if (!sent && (kind != STACK_OVERFLOW || near) && (jumped || may_fault(end - 1)))
    trap = new_trap(kind, "", kind == STACK_OVERFLOW ? OTHER_STACK : 0);
  if (trap == 0) {
    pass_on(signal, info, context);
    return;
  }
  trap->address = address, trap->jumped = jumped;
  /* Below what a function may use beyond its stack pointer, or on the other stack. */
  word *top = (word *)((kind == STACK_OVERFLOW ? (word)(trap + 1) + OTHER_STACK : *sp - 256) & ~15ull) - 4;
  top[0] = end, top[1] = top_of_frame, top[2] = (word)trap;
  *sp = (word)top;
  *pc = (word)stumbled;
}

/* Calls. */

/* Calls C on a thread that Deno lends: nothing is unwound beyond it. */
#if defined(__x86_64__)
__asm__(".text\n.globl run\nrun:\n.cfi_startproc\n.cfi_undefined rip\n"
        "push %rbx\n mov %rdi, %rbx\n push 64(%rbx)\n push 56(%rbx)\n"
        "mov 8(%rbx), %rdi\n mov 16(%rbx), %rsi\n mov 24(%rbx), %rdx\n mov 32(%rbx), %rcx\n mov 40(%rbx), %r8\n mov 48(%rbx), %r9\n"
        "xor %eax, %eax\n call *(%rbx)\n mov %rax, 72(%rbx)\n add $16, %rsp\n pop %rbx\n ret\n.cfi_endproc\n");
#else
__asm__(".text\n.globl run\nrun:\n.cfi_startproc\n.cfi_undefined x30\n"
        "stp x30, x19, [sp, -16]!\n mov x19, x0\n"
        "ldp x0, x1, [x19, 8]\n ldp x2, x3, [x19, 24]\n ldp x4, x5, [x19, 40]\n ldp x6, x7, [x19, 56]\n"
        "ldr x16, [x19]\n blr x16\n str x0, [x19, 72]\n ldp x30, x19, [sp], 16\n ret\n.cfi_endproc\n");
#endif

/* The slot of the thread that asks. */
EXPORT struct slot *slot(void) {
  word thread = this_thread();
  lock();
  struct slot *slot = own.slots;
  while (slot != 0 && slot->thread != thread) slot = slot->next;
  if (slot == 0 && (slot = state.allocate(sizeof *slot)) != 0) {
    slot->count = 0, slot->first = 0, slot->thread = thread, slot->next = own.slots;
    own.slots = slot;
  }
  unlock();
  return slot;
}

/* Takes a list of traps: a slot's, a call's, or with null those of C's own threads. */
EXPORT struct trap *take_traps(struct trap **list) {
  lock();
  if (list == 0) list = &own.loose;
  struct trap *taken = *list;
  *list = 0;
  unlock();
  return taken;
}

extern char unwind_tables[] __attribute__((visibility("hidden")));

static word address_of_main(void) {
  word (*getauxval)(word) = BUILTIN("getauxval");
  word (*first_image)(unsigned) = BUILTIN("_dyld_get_image_header");
  if (getauxval != 0) return module_of(getauxval(3 /* AT_PHDR */)).base;
  return first_image != 0 ? first_image(0) : 0;
}

/* Each description of a function, for macOS, which takes one at a time. */
static void register_each(void (*register_frame)(void *)) {
  for (char *at = unwind_tables; *(unsigned *)at != 0; at += *(unsigned *)at + 4)
    if (*(unsigned *)(at + 4) != 0) register_frame(at);
}

static void handle(int signal, void *previous) {
  word action[20];
  for (int i = 0; i < 20; i++) ((volatile word *)action)[i] = 0;
  action[0] = (word)faulted;
  *(int *)((char *)action + own.system.flags_offset) = own.system.flags;
  own.sigaction(signal, action, previous);
}

/*
 * Sets the trap, for the process.
 *
 * handle: of a library that sees ggml's functions, the unwinder and the C library. Returns 1 if all is there.
 */
EXPORT word install(void *library, void *(*dlsym)(void *, const char *), const struct system *system) {
  if (own.installed) return 1;
  own.handle = library, own.dlsym = dlsym, own.system = *system;
  own.backtrace = BUILTIN("_Unwind_Backtrace");
  own.forced_unwind = BUILTIN("_Unwind_ForcedUnwind");
  own.get_ip = BUILTIN("_Unwind_GetIP");
  own.get_cfa = BUILTIN("_Unwind_GetCFA");
  own.get_register = BUILTIN("_Unwind_GetGR");
  own.region_start = BUILTIN("_Unwind_GetRegionStart");
  own.dladdr = BUILTIN("dladdr");
  own.sigaction = BUILTIN("sigaction");
  own.step = BUILTIN("unw_step");
  own.abort = (word)BUILTIN("ggml_abort");
  own.compute = (word)BUILTIN("ggml_graph_compute");
  void (*register_frame)(void *) = BUILTIN("__register_frame");
  void (*set_abort_callback)(void *) = BUILTIN("ggml_set_abort_callback");
  void *(*set_terminate)(void *) = BUILTIN("_ZSt13set_terminatePFvvE");
  if (!own.backtrace || !own.forced_unwind || !own.get_ip || !own.get_cfa || !own.get_register || !own.region_start) return 0;
  if (!own.dladdr || !own.sigaction || !own.abort || !register_frame || !set_abort_callback) return 0;
  own.deno = address_of_main();
  if (own.deno == 0) return 0;
  own.libc = module_of((word)BUILTIN("getpid")).base;
  if (own.step != 0) register_each(register_frame);
  else register_frame(unwind_tables);
  set_abort_callback(aborted);
  if (set_terminate != 0) own.previous_terminate = set_terminate(terminated);
  handle(8, own.previous_division);
  handle(11, own.previous_fault);
  own.installed = 1;
  return 1;
}
