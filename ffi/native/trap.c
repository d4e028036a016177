/*
 * The trap: what would end the process in C becomes a return to whoever called C.
 *
 * ggml calls `aborted` on the thread that failed. What else C fails of, the part for a system finds: an exception of C++ that nobody catches, and
 * the processor's own faults (a division by zero, the use of a null pointer, a stack that overflows) and abort(), as C's assert calls it, after which
 * the thread goes on in `stumbled`, as if the instruction had called it. Each walks the stack, and picks the way out:
 *
 *   - out of a kernel, to the loop over a graph's nodes, as if the kernel had returned: other threads wait there for this one;
 *   - else out of the call, to the first frame that is no library's: Deno's own, the machine code that V8 made for the call, `call_function`, or
 *     `forward`, which notes the call;
 *   - else to the C library that called back: a thread of C's own ends, and a process that exits goes on exiting.
 *
 * The frames on the way are unwound, so that C++ runs its destructors, and then the registers are what they were in the frame returned to, with a
 * result of 0. JavaScript finds a `struct trap`: by its thread (`struct slot`), by its call (`struct call`), or among those of C's own threads.
 *
 * Where the loop is, and where it keeps its graph and the number of its node, is learned when it is first asked, by watching it compute a
 * small graph (`learn`): no layout of ggml's is known here. How a stack is walked and unwound is in trap_posix.c and trap_windows.c, one of which
 * is a part of this file.
 */

#include "native.h"

struct context;
/* What visits a frame returns: values of _Unwind_Reason_Code. */
typedef int reason;
enum { NO_REASON = 0, END_OF_STACK = 5 };

/* How many registers a C function saves for its caller: of them, the first in `struct registers` is what `forward` keeps its call in. */
#if defined(_WIN32)
enum { INTEGERS = 8, FLOATS = 20 }; /* rbx, rbp, rsi, rdi, r12 to r15; the halves of xmm6 to xmm15 */
#elif defined(__x86_64__)
enum { INTEGERS = 6, FLOATS = 0 }; /* rbx, rbp, r12 to r15 */
#else
enum { INTEGERS = 11, FLOATS = 8 }; /* x19 to x29, d8 to d15 */
#endif

/* A frame, as the function that it calls returns to it. */
struct registers {
  word saved[INTEGERS + FLOATS];
  word sp, pc;
};

enum { ASSERTION, EXCEPTION, DIVISION, NULL_POINTER, STACK_OVERFLOW, SHORT_FILE, READ_ONLY, ABORT };
enum { CALL, KERNEL, THREAD };

enum {
  TEXT = 4096,
  OTHER_STACK = 0x20000, /* bytes to unwind on where the thread's own stack is full */
  LOW = 0x10000,         /* below is what a null pointer and an offset point to */
  WATCHED = 96,          /* how many registers and words of the loop's stack are watched */
  SAMPLES = 6,
  CODE_BYTES = 0x10000,
  SOURCES = 10,       /* GGML_MAX_SRC */
  TENSOR_BYTES = 512, /* no tensor is larger */
};

/* What was caught. JavaScript reads what comes before `thread`, and frees it. */
struct trap {
  struct trap *next;
  word kind, place;
  word node, tensor; /* in a kernel: which node the loop was at, counted from 1, and its tensor; 0: not known */
  word address;      /* of a fault: what was used */
  char text[TEXT];
  char tensors[1 + SOURCES][TENSOR_BYTES]; /* copies of that tensor and of its sources: it may be freed before JavaScript looks */
  word pool; /* whose thread it is in a kernel; 0: not known */
  word thread;
  word jumped; /* C's function jumped to a null pointer, as to what it calls last: it has no frame any more */
  struct call *call;
  struct registers to;
  word here; /* whether it is a call of JavaScript's that failed */
  word of_unwinder[8] __attribute__((aligned(16)));
};

/* One for each thread that runs JavaScript. */
struct slot {
  word count; /* traps since JavaScript last looked, of this thread and of C's own ones; it tests the lower half */
  struct trap *first;
  word thread;
  struct slot *next;
  word busy; /* 1 while C may compute when the process exits: JavaScript says so */
  struct hearing hearing;
};

/*
 * A call on a thread that Deno lends, by `forward`, which takes the function's own arguments and behind them, on the stack, CALL_MARK and the address
 * of this: a function doesn't look at arguments that it doesn't know of, so nothing must be known of those that it does.
 */
struct call {
  void (*function)(void);
  struct trap *trap;
  struct hearing hearing;
};
#define CALL_MARK "0x9e6b31c4f2a85d07"

/* What structs look like. JavaScript knows. */
struct layouts {
  word work_size, work_data, callback; /* in struct ggml_cplan, which the headers show */
  word tensor_size, tensor_sources;    /* of struct ggml_tensor, and where in it */
  word of_system[9];
};

/* This file's part of the state. */
struct trap_state {
  struct slot *slots;
  struct trap *loose; /* of threads of C's own */
  struct trap *unwinding;
  word lock;
  word installed;
  struct layouts layouts;
  word deno; /* where this module begins */
  word abort, compute; /* ggml_abort, ggml_graph_compute */
  word learned;        /* 0: not yet, 1: it can't be, 2: it is, 3: under way */
  word loop[4];        /* ggml's functions between a kernel and ggml_graph_compute, or that one itself */
  word keeper;         /* the one of them that keeps what follows; 0: none is known */
  word graph, node, pool; /* where the loop keeps these, counted from 1, the node's number in halves of words; 0: not known */
  word first_node;        /* what it keeps for the first node */
  word last, status;      /* where the pool keeps the node to stop at and what to answer, counted from 1; 0: not known */
  word of_system[110];
};
#define own (*(struct trap_state *)state.trap)
_Static_assert(sizeof(struct trap_state) <= sizeof state.trap, "the state has room");

#define EXPORT __attribute__((used))

/* What the part for a system gives. */

/* A function of ggml's, or of a library that it uses; 0 if there is none. */
static void *find(const char *name);
/* The library that an address lies in. Its base is 0 for machine code that no library has. */
struct module {
  const char *name; /* of its file */
  word base;
};
static struct module module_of(word address);
/* Whether a library begins there that calls C back, and that is no part of ggml: threads begin in it. */
static int is_system(word base);
/* Visits each frame from the caller's on, the first that no library has among them. */
static void walk_stack(reason (*visit)(struct context *, void *), void *argument);
/* Of a frame that is visited: where it goes on, where the function there begins, and all of it. */
static word pc_of(struct context *context);
static word function_of(struct context *context);
static struct registers registers_of(struct context *context);
/* Unwinds to where a trap leads, by `unwind`. `from`: where to begin. */
static void start_unwinding(struct trap *trap, const struct registers *from);
/* Unwinds each frame between the caller and where a trap leads, and delivers it. */
static void unwind_frames(struct trap *trap);
/* Goes on in a frame, as if the function called there had returned 0. */
__attribute__((noreturn)) static void resume(const struct registers *to, word kind);
/* Finds what all of this takes. 0 if something is missing. */
static int connect(void *const *libraries, void *look_up);
/* Has the system tell of what C fails of. */
static void listen(void);
/* Runs a function on a thread of its own, if the system makes one, and waits until it is through. */
static void run_aside(void *(*function)(void *));
/* Gives a thread of Deno's what it takes for the system to tell of what C fails of there. */
static void make_room(void);


static void lock(void) {
  while (__atomic_exchange_n(&own.lock, 1, __ATOMIC_ACQUIRE));
}
static void unlock(void) { __atomic_store_n(&own.lock, 0, __ATOMIC_RELEASE); }

static void clear(void *memory, word size) {
  for (word i = 0; i < size; i++) ((volatile char *)memory)[i] = 0;
}
static void copy(void *to, const void *from, word size) {
  for (word i = 0; i < size / 8; i++) ((volatile word *)to)[i] = ((const word *)from)[i];
}

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

static int is_ggml(struct module module) {
  if (module.base == 0 || module.base == own.deno) return 0;
  return contains(module.name, "ggml") || contains(module.name, "llama") || module.base == module_of(own.abort).base;
}

/* Whether an address lies in what calls C for JavaScript, which calls no null pointer itself. */
static int is_script(word pc) {
  struct module module = module_of(pc);
  return module.base == 0 || module.base == own.deno;
}

/* Walking. */

extern char code_begin[] __attribute__((visibility("hidden")));
void forward(void) __attribute__((visibility("hidden")));
void call_function(void) __attribute__((visibility("hidden"))); /* of gate.c */

static int is_here(word pc) { return pc - (word)code_begin < CODE_BYTES; }

struct walk {
  word kind;        /* what C failed of */
  int frames;       /* how many were passed, without this file's own */
  int aborting;     /* ggml_abort was passed */
  int failed;       /* the function that failed was passed */
  int in_compute;   /* ggml_graph_compute was passed */
  int has_kernel, has_call, has_thread;
  struct registers from, kernel, way_out, thread; /* from: where unwinding begins, unless it is this file's caller */
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

/* The n-th half of a word, counted from 1. */
static word watched_half(const struct registers *loop, word n) { return n == 0 ? 0 : watched(loop, (n + 1) / 2) >> (n % 2 ? 0 : 32); }

static reason visit(struct context *context, void *argument) {
  struct walk *walk = argument;
  word pc = pc_of(context);
  if (pc == 0) return END_OF_STACK;
  int is_plain = is_here(pc) && function_of(context) == (word)call_function;
  if (is_here(pc) && !is_plain && function_of(context) != (word)forward) return NO_REASON; /* functions above the one that failed */
  if (walk->kind == ABORT && walk->frames == 0 && !is_ggml(module_of(pc - 1))) return NO_REASON; /* what abort() and assert are made of */
  if (walk->frames++ == 1 && walk->kind >= DIVISION) walk->from = registers_of(context);
  if (is_here(pc)) {
    walk->has_call = 1;
    walk->way_out = registers_of(context);
    if (!is_plain) walk->call = (struct call *)walk->way_out.saved[0];
    return END_OF_STACK;
  }
  struct module module = module_of(pc - 1);
  if (module.base == 0 || module.base == own.deno) {
    walk->has_call = (walk->failed || walk->aborting) && !walk->has_thread; /* else the C library called back, as when the process exits: it goes on */
    walk->way_out = registers_of(context);
    return END_OF_STACK;
  }
  word function = function_of(context);
  if (!walk->failed) {
    if (function == own.abort) walk->aborting = 1;
    else walk->failed = is_ggml(module);
    if (walk->failed && walk->kind == EXCEPTION) walk->from = registers_of(context);
    return NO_REASON;
  }
  if (!walk->has_kernel && is_loop(function)) {
    walk->has_kernel = 1;
    walk->kernel = registers_of(context);
  }
  if (function == own.compute) walk->in_compute = 1;
  if (own.learned == 2 && function == own.keeper) {
    struct registers loop = registers_of(context);
    walk->graph = watched(&loop, own.graph), walk->node = watched_half(&loop, own.node), walk->pool = watched(&loop, own.pool);
  }
  if (!is_system(module.base)) walk->has_thread = 0;
  else if (!walk->has_thread) {
    walk->has_thread = 1;
    walk->thread = registers_of(context);
  }
  return NO_REASON;
}

/* Learning where the loop over a graph's nodes is. */

struct frame {
  word function;
  word values[WATCHED];
};

/* The frames from a kernel on. */
struct sample {
  struct frame frames[8];
  int count;
};

struct learning {
  struct sample samples[2][SAMPLES]; /* of the thread that computes, and of one that helps */
  int count[2], done;
  int asked; /* how often whether to stop */
};

/* What a thread's sample is taken of, while it is walked over. */
struct sampling {
  struct sample *sample;
  int done;              /* ggml_graph_compute was reached */
  struct registers last; /* of the frame before */
};

/* The words of a frame's stack are known where the next one begins. */
static void fill_frame(struct frame *frame, const struct registers *registers, word end) {
  for (word i = 0; i < WATCHED; i++) {
    int inside = i < INTEGERS || registers->sp + 8 * (i - INTEGERS) + 8 <= end;
    frame->values[i] = inside ? watched(registers, i + 1) : 0;
  }
}

static reason visit_sample(struct context *context, void *argument) {
  struct sampling *sampling = argument;
  struct sample *sample = sampling->sample;
  word pc = pc_of(context);
  if (is_here(pc)) return NO_REASON;
  struct registers registers = registers_of(context);
  if (sample->count > 0) fill_frame(&sample->frames[sample->count - 1], &sampling->last, registers.sp);
  word function = function_of(context);
  sampling->done = function == own.compute;
  if (sampling->done || sample->count == 8) return END_OF_STACK;
  sample->frames[sample->count++].function = function;
  sampling->last = registers;
  return NO_REASON;
}

static void take_sample(struct learning *learning, int thread) {
  if (thread > 1 || learning->count[thread] == SAMPLES) return;
  struct sampling sampling = {&learning->samples[thread][learning->count[thread]++], 0};
  walk_stack(visit_sample, &sampling);
  if (thread == 0) learning->done = sampling.done;
}

static void first_probe(void *result, void *a, int thread, int threads, void *learning) { take_sample(learning, thread); }
static void second_probe(void *result, void *a, void *b, int thread, int threads, void *learning) { take_sample(learning, thread); }

static const word *values_of(const struct sample *sample, word function) {
  for (int i = 0; i < sample->count; i++)
    if (sample->frames[i].function == function) return sample->frames[i].values;
  return 0;
}

static int in_all(const struct learning *learning, word function) {
  for (int i = 0; i < SAMPLES; i++)
    if (values_of(&learning->samples[0][i], function) == 0) return 0;
  return 1;
}

/* What the word, or for the node's number the half, may be that is watched. */
struct meanings { int graph, pool, node, first; };

/* A thread that helps isn't called by ggml_graph_compute: what that left in registers and on the stack isn't there. */
static struct meanings meanings_of(const struct learning *learning, word function, word half, word graph, word pool) {
  word i = half / 2, shift = half % 2 * 32;
  struct meanings may = {1, 1, 1, (int)(values_of(&learning->samples[0][0], function)[i] >> shift)};
  may.node = may.first == 0 || may.first == 1;
  for (int thread = 0; thread < 2; thread++)
    for (int k = 0; k < learning->count[thread]; k++) {
      const word *values = values_of(&learning->samples[thread][k], function);
      if (values == 0) return (struct meanings){0};
      may.graph &= values[i] == graph;
      may.pool &= values[i] == pool;
      may.node &= (int)(values[i] >> shift) == may.first + k;
    }
  return may;
}

/* Finds which variables of a function are the graph, the pool and the node's number; 0 if the last is none. */
static int find_variables(const struct learning *learning, word function, word graph, word pool) {
  own.graph = own.pool = own.node = 0;
  for (word half = 0; half < 2 * WATCHED; half++) { /* in the second a compiler that doesn't optimize may have a number */
    struct meanings may = meanings_of(learning, function, half, graph, pool);
    if (may.graph && own.graph == 0) own.graph = half / 2 + 1;
    if (may.pool && own.pool == 0) own.pool = half / 2 + 1;
    if (may.node && own.node == 0) own.node = half + 1, own.first_node = may.first;
  }
  return own.node != 0;
}

/*
 * Finds the functions that stand between ggml_graph_compute and kernels of either kind, and the outermost that has the variables. With OpenMP, whose
 * own functions stand there, too, that isn't the first.
 */
static void conclude(const struct learning *learning, word graph, word pool) {
  const struct sample *first = &learning->samples[0][0];
  int count = 0;
  for (int i = first->count - 1; i >= 0 && count < 4; i--) {
    word function = first->frames[i].function;
    if (is_ggml(module_of(function)) && in_all(learning, function)) own.loop[count++] = function;
  }
  if (count == 0) own.loop[0] = own.compute;
  if (learning->count[1] == 0) return; /* nothing is known of threads that help */
  for (int i = 0; i < count && own.keeper == 0; i++)
    if (find_variables(learning, own.loop[i], graph, pool)) own.keeper = own.loop[i];
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

static void *learn(void *unused) {
  struct { word size; void *buffer; _Bool no_alloc; } params = {0x80000, 0, 0};
  void *(*init)(__typeof__(params)) = find("ggml_init");
  void (*free_context)(void *) = find("ggml_free");
  void *(*new_tensor)(void *, int, long long) = find("ggml_new_tensor_1d");
  void *(*map1)(void *, void *, void *, int, void *) = find("ggml_map_custom1");
  void *(*map2)(void *, void *, void *, void *, int, void *) = find("ggml_map_custom2");
  void *(*new_graph)(void *) = find("ggml_new_graph");
  void (*expand)(void *, void *) = find("ggml_build_forward_expand");
  void (*pool_params)(void *, int) = find("ggml_threadpool_params_init");
  void *(*new_pool)(void *) = find("ggml_threadpool_new");
  void (*free_pool)(void *) = find("ggml_threadpool_free");
  struct plan (*make_plan)(void *, int, void *) = find("ggml_graph_plan");
  int (*compute)(void *, struct plan *) = find("ggml_graph_compute");
  if (!init || !free_context || !new_tensor || !map1 || !map2 || !new_graph || !expand) return 0;
  if (!pool_params || !new_pool || !free_pool || !make_plan || !compute) return 0;
  struct learning *learning = state.allocate(sizeof *learning + 0x10000);
  if (learning == 0) return 0;
  clear(learning, sizeof *learning);
  char *work = (char *)(learning + 1);
  pool_params(work, 2);
  void *context = init(params), *pool = new_pool(work);
  if (context != 0 && pool != 0) {
    void *a = new_tensor(context, 0, 1), *last = a;
    for (int i = 0; i < SAMPLES; i++)
      last = i % 2 ? map2(context, last, a, second_probe, 2, learning) : map1(context, last, first_probe, 2, learning);
    void *graph = new_graph(context);
    expand(graph, last);
    struct plan plan = make_plan(graph, 2, pool);
    *(void **)(plan.bytes + own.layouts.work_data) = work;
    if (*(word *)(plan.bytes + own.layouts.work_size) <= 0x10000) {
      int before[POOL];
      compute(graph, &plan);
      for (int i = 0; i < POOL; i++) before[i] = ((volatile int *)pool)[i];
      ((void **)(plan.bytes + own.layouts.callback))[0] = stops, ((void **)(plan.bytes + own.layouts.callback))[1] = learning;
      compute(graph, &plan);
      conclude_pool(before, pool);
      if (learning->count[0] == SAMPLES && learning->done) conclude(learning, (word)graph, (word)pool), own.learned = 2;
    }
  }
  if (pool != 0) free_pool(pool);
  if (context != 0) free_context(context);
  state.free(learning);
  return 0;
}

/* Learns it, for the first thread that asks; others wait. That may be inside of one of OpenMP's loops, which has no thread to help in another. */
static void learn_once(void) {
  static const word WAITING = 3;
  word not_yet = 0;
  if (__atomic_compare_exchange_n(&own.learned, &not_yet, WAITING, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    run_aside(learn);
    if (own.learned == WAITING) __atomic_store_n(&own.learned, 1, __ATOMIC_RELEASE);
  } else
    while (__atomic_load_n(&own.learned, __ATOMIC_ACQUIRE) == WAITING);
}

/* Leaving. */

/* Hands a trap to JavaScript. */
static void publish(struct trap *trap) {
  lock();
  struct trap **list = &own.loose;
  if (trap->call != 0) list = &trap->call->trap;
  else if (trap->here) {
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

__attribute__((noreturn)) static void deliver(struct trap *trap) {
  lock();
  for (struct trap **at = &own.unwinding; *at != 0; at = &(*at)->next)
    if (*at == trap) {
      *at = trap->next;
      break;
    }
  unlock();
  struct registers to = trap->to;
  word kind = trap->kind;
  publish(trap);
  resume(&to, kind);
}

/* Unwinds to where a trap leads, and goes on there. */
__attribute__((used, noreturn)) static void unwind(struct trap *trap) __asm__("unwind");
static void unwind(struct trap *trap) {
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
  unwind_frames(trap);
  deliver(trap);
}

/* Copies a node's tensor and its sources. */
static void copy_tensors(struct trap *trap) {
  word size = own.layouts.tensor_size, *sources = (word *)(trap->tensors[0] + own.layouts.tensor_sources);
  if (size > TENSOR_BYTES) return;
  copy(trap->tensors[0], (void *)trap->tensor, size);
  for (int i = 0; i < SOURCES; i++) {
    if (sources[i] == 0) continue;
    copy(trap->tensors[1 + i], (void *)sources[i], size);
    sources[i] = (word)trap->tensors[1 + i];
  }
}

/* Finds where a trap leads, and fills it in; 0 if there is no way out. */
static int find_way(struct trap *trap, struct registers *from) {
  struct walk walk;
  for (int tries = 0; tries < 2; tries++) {
    clear(&walk, sizeof walk);
    walk.kind = trap->kind;
    walk.failed = walk.frames = trap->jumped;
    walk_stack(visit, &walk);
    if (own.learned == 2 || !(walk.in_compute || !walk.has_call)) break;
    learn_once();
  }
  trap->thread = this_thread();
  trap->call = walk.call, trap->pool = walk.pool;
  if (walk.has_kernel) trap->place = KERNEL, trap->to = walk.kernel;
  else if (walk.has_call) trap->place = CALL, trap->to = walk.way_out;
  else if (walk.has_thread) trap->place = THREAD, trap->to = walk.thread;
  else return 0;
  trap->node = trap->tensor = 0;
  if (walk.has_kernel && walk.graph != 0) {
    void *(*graph_node)(word, int) = find("ggml_graph_node");
    trap->node = (int)walk.node - (int)own.first_node + 1;
    if (graph_node != 0) trap->tensor = (word)graph_node(walk.graph, trap->node - 1);
    if (trap->tensor != 0) copy_tensors(trap);
  }
  if (walk.has_kernel && walk.pool != 0 && own.last != 0 && own.status != 0) { /* what follows would compute on garbage */
    int *pool = (int *)walk.pool;
    __atomic_store_n(&pool[own.last - 1], trap->node, __ATOMIC_SEQ_CST);
    __atomic_store_n(&pool[own.status - 1], STATUS_FAILED, __ATOMIC_SEQ_CST);
  }
  trap->here = walk.has_call;
  *from = walk.from;
  return 1;
}

/* Returns if there is no way out. */
static void leave_with(struct trap *trap) {
  struct registers from;
  if (find_way(trap, &from)) start_unwinding(trap, &from);
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

/* Calls. */

/* The slot of the thread that asks. */
EXPORT struct slot *slot(void) {
  word thread = this_thread();
  make_room();
  lock();
  struct slot *slot = own.slots;
  while (slot != 0 && slot->thread != thread) slot = slot->next;
  if (slot == 0 && (slot = state.allocate(sizeof *slot)) != 0) {
    slot->count = 0, slot->first = 0, slot->thread = thread, slot->busy = 0, slot->next = own.slots;
    own.slots = slot;
  }
  if (slot != 0) slot->hearing = (struct hearing){0}; /* it may be that of a Worker that ended in the middle of a call */
  unlock();
  return slot;
}

/* Looks for `forward` among the callers. */
static reason visit_call(struct context *context, void *argument) {
  word pc = pc_of(context);
  if (pc == 0) return END_OF_STACK;
  if (!is_here(pc)) return is_script(pc - 1) ? END_OF_STACK : NO_REASON;
  word function = function_of(context);
  if (function == (word)forward) *(struct call **)argument = (struct call *)registers_of(context).saved[0];
  return function == (word)forward || function == (word)call_function ? END_OF_STACK : NO_REASON;
}

struct call *call_here(void) {
  struct call *call = 0;
  if (own.installed) walk_stack(visit_call, &call);
  return call;
}

/* A thread may have the number of one that has ended, and so a slot that isn't its own: it is looked first for a call. */
struct hearing *hearing_here(void) {
  struct call *call = call_here();
  struct hearing *hearing = call != 0 ? &call->hearing : 0;
  word thread = this_thread();
  for (struct slot *slot = call != 0 ? 0 : own.slots; slot != 0; slot = slot->next)
    if (slot->thread == thread) hearing = &slot->hearing;
  return hearing != 0 && hearing->on ? hearing : 0;
}

/* Exits. */

/*
 * The process exits. Where threads of C's may go on computing, it ends here: the destructors of C++, which come next, would take from them
 * what they use.
 */
static void end_process(int status, void *unused) {
  for (struct slot *slot = own.slots; slot != 0; slot = slot->next)
    if (slot->busy) {
      ended(0);
      state.flush(0);
      state.exit(status, 0);
    }
}

/*
 * Has `end_process` called before whatever was to be called until now. The system calls this on the thread that exits before anything else,
 * if it is told to.
 */
EXPORT void leave_first(void *unused) { state.on_exit(end_process, 0); }

/* Takes a list of traps: a slot's, a call's, or with null those of C's own threads. */
EXPORT struct trap *take_traps(struct trap **list) {
  lock();
  if (list == 0) list = &own.loose;
  struct trap *taken = *list;
  *list = 0;
  unlock();
  return taken;
}

/*
 * Sets the trap, for the process. Returns 1 if all is there.
 *
 * libraries, look_up: where the functions of ggml and of what it uses are found: handles, the last one 0, and dlsym or GetProcAddress.
 */
EXPORT word install(void *const *libraries, void *look_up, const struct layouts *layouts) {
  if (own.installed) return 1;
  own.layouts = *layouts;
  if (!connect(libraries, look_up)) return 0;
  own.abort = (word)find("ggml_abort");
  own.compute = (word)find("ggml_graph_compute");
  void (*set_abort_callback)(void *) = find("ggml_set_abort_callback");
  if (own.abort == 0 || set_abort_callback == 0) return 0;
  set_abort_callback(aborted);
  listen();
  own.installed = 1;
  return 1;
}

#if defined(_WIN32)
#include "trap_windows.c"
#else
#include "trap_posix.c"
#endif
