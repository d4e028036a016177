/*
 * Gates: what C calls in place of a function in JavaScript.
 *
 * JavaScript's function may be called on the thread of its isolate alone, and an isolate ends whenever it likes: a Worker that is terminated isn't told,
 * nor does a process wait that ends by an uncaught error. Its machine code for the function is gone then, and C, which still computes on other threads,
 * would jump into it. So C gets the address of a gate, which is never given back to the system:
 *
 *   - on the isolate's own thread it goes on in the function, as if it weren't there;
 *   - on another thread it leaves a request, and waits until JavaScript has served it (`serve`), on its own thread, or the isolate is gone;
 *   - after that it answers by itself: with zeros, or what has C stop.
 *
 * A gate knows nothing of parameters: it keeps all registers that one may be in, and what is on the stack.
 */

#include "native.h"

#define EXPORT __attribute__((used))

struct frame;

/* One for each isolate. JavaScript fills in the first words. */
struct home {
  word thread;
  void (*acquire)(void *lock);
  void (*give_back)(void *lock);
  int (*wait)(void *changed, void *lock, word for_ever, word unused); /* Windows takes four arguments */
  void (*tell)(void *changed);
  void *lock, *changed;
  word served;  /* 1 while JavaScript waits for requests */
  word stopped; /* 1 to have it wait no more */
  word calls;   /* how many calls of the isolate's are under way on other threads */
  word gone;
  struct frame *first, *last; /* requests */
  word caller;                /* the call that the request is of which is being served; 0: it isn't known, or there is but one */
};

/* What a piece of code in a block of them finds at a fixed distance from itself. */
struct gate {
  void (*entry)(void); /* `gate` below */
  void *function;      /* JavaScript's; 0 once it was closed */
  struct home *home;
  word stack;          /* how many words of the stack may be arguments, an even number */
  word result_bytes;   /* of a struct that the caller has the memory for */
  word answer;         /* what it answers by itself */
  struct gate *next;   /* of those that nobody uses */
  word tells_call;     /* 1 if its arguments say of which call it is */
};

/* A block of gates; JavaScript makes it. */
struct block {
  struct block *next;
  word count;
  word unused[6];
  struct gate gates[];
};

/* What a call left. The functions below know where each is. */
struct frame {
  word integers[10];
  word floats[16];
  struct gate *gate;
  word *stack;
  struct frame *next;
  word done;
  word result[2];
  word float_result[8];
};
_Static_assert(sizeof(struct frame) == 320, "the functions below know it");

#if defined(_WIN32)
enum { RESULT_POINTER = 0 };
__asm__(".text\n.globl gate\n.seh_proc gate\ngate:\n sub $360, %rsp\n.seh_stackalloc 360\n.seh_endprologue\n"
        "mov %rcx, 32(%rsp)\n mov %rdx, 40(%rsp)\n mov %r8, 48(%rsp)\n mov %r9, 56(%rsp)\n"
        "movups %xmm0, 112(%rsp)\n movups %xmm1, 128(%rsp)\n movups %xmm2, 144(%rsp)\n movups %xmm3, 160(%rsp)\n"
        "mov %r11, 240(%rsp)\n lea 400(%rsp), %rax\n mov %rax, 248(%rsp)\n lea 32(%rsp), %rcx\n call enter_gate\n"
        "test %rax, %rax\n jz 1f\n mov %rax, %r11\n"
        "mov 32(%rsp), %rcx\n mov 40(%rsp), %rdx\n mov 48(%rsp), %r8\n mov 56(%rsp), %r9\n"
        "movups 112(%rsp), %xmm0\n movups 128(%rsp), %xmm1\n movups 144(%rsp), %xmm2\n movups 160(%rsp), %xmm3\n"
        "add $360, %rsp\n jmp *%r11\n"
        "1: mov 272(%rsp), %rax\n movups 288(%rsp), %xmm0\n add $360, %rsp\n ret\n.seh_endproc\n");
__asm__(".text\n.globl call_function\n.seh_proc call_function\ncall_function:\n"
        "push %rbp\n.seh_pushreg %rbp\n push %rbx\n.seh_pushreg %rbx\n push %rsi\n.seh_pushreg %rsi\n mov %rsp, %rbp\n.seh_setframe %rbp, 0\n"
        ".seh_endprologue\n mov %rcx, %rbx\n mov %rdx, %rsi\n mov 216(%rbx), %rax\n"
        "1: test %r8, %r8\n jz 2f\n dec %r8\n push (%rax, %r8, 8)\n jmp 1b\n"
        "2: sub $32, %rsp\n mov 0(%rbx), %rcx\n mov 8(%rbx), %rdx\n mov 16(%rbx), %r8\n mov 24(%rbx), %r9\n"
        "movups 80(%rbx), %xmm0\n movups 96(%rbx), %xmm1\n movups 112(%rbx), %xmm2\n movups 128(%rbx), %xmm3\n"
        "call *%rsi\n mov %rax, 240(%rbx)\n movups %xmm0, 256(%rbx)\n"
        "lea 0(%rbp), %rsp\n pop %rsi\n pop %rbx\n pop %rbp\n ret\n.seh_endproc\n");
#elif defined(__x86_64__)
enum { RESULT_POINTER = 0 };
__asm__(".text\n.globl gate\ngate:\n.cfi_startproc\n sub $328, %rsp\n.cfi_def_cfa_offset 336\n"
        "mov %rdi, 0(%rsp)\n mov %rsi, 8(%rsp)\n mov %rdx, 16(%rsp)\n mov %rcx, 24(%rsp)\n mov %r8, 32(%rsp)\n mov %r9, 40(%rsp)\n"
        "movups %xmm0, 80(%rsp)\n movups %xmm1, 96(%rsp)\n movups %xmm2, 112(%rsp)\n movups %xmm3, 128(%rsp)\n"
        "movups %xmm4, 144(%rsp)\n movups %xmm5, 160(%rsp)\n movups %xmm6, 176(%rsp)\n movups %xmm7, 192(%rsp)\n"
        "mov %r11, 208(%rsp)\n lea 336(%rsp), %rax\n mov %rax, 216(%rsp)\n mov %rsp, %rdi\n call enter_gate\n"
        "test %rax, %rax\n jz 1f\n mov %rax, %r11\n"
        "mov 0(%rsp), %rdi\n mov 8(%rsp), %rsi\n mov 16(%rsp), %rdx\n mov 24(%rsp), %rcx\n mov 32(%rsp), %r8\n mov 40(%rsp), %r9\n"
        "movups 80(%rsp), %xmm0\n movups 96(%rsp), %xmm1\n movups 112(%rsp), %xmm2\n movups 128(%rsp), %xmm3\n"
        "movups 144(%rsp), %xmm4\n movups 160(%rsp), %xmm5\n movups 176(%rsp), %xmm6\n movups 192(%rsp), %xmm7\n"
        "add $328, %rsp\n.cfi_def_cfa_offset 8\n jmp *%r11\n.cfi_def_cfa_offset 336\n"
        "1: mov 240(%rsp), %rax\n mov 248(%rsp), %rdx\n movups 256(%rsp), %xmm0\n movups 272(%rsp), %xmm1\n"
        "add $328, %rsp\n.cfi_def_cfa_offset 8\n ret\n.cfi_endproc\n");
__asm__(".text\n.globl call_function\ncall_function:\n.cfi_startproc\n push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset 6, -16\n mov %rsp, %rbp\n.cfi_def_cfa_register 6\n"
        "push %rbx\n.cfi_offset 3, -24\n push %r12\n.cfi_offset 12, -32\n mov %rdi, %rbx\n mov %rsi, %r12\n mov 216(%rbx), %rax\n"
        "1: test %rdx, %rdx\n jz 2f\n dec %rdx\n push (%rax, %rdx, 8)\n jmp 1b\n"
        "2: mov 0(%rbx), %rdi\n mov 8(%rbx), %rsi\n mov 16(%rbx), %rdx\n mov 24(%rbx), %rcx\n mov 32(%rbx), %r8\n mov 40(%rbx), %r9\n"
        "movups 80(%rbx), %xmm0\n movups 96(%rbx), %xmm1\n movups 112(%rbx), %xmm2\n movups 128(%rbx), %xmm3\n"
        "movups 144(%rbx), %xmm4\n movups 160(%rbx), %xmm5\n movups 176(%rbx), %xmm6\n movups 192(%rbx), %xmm7\n"
        "call *%r12\n mov %rax, 240(%rbx)\n mov %rdx, 248(%rbx)\n movups %xmm0, 256(%rbx)\n movups %xmm1, 272(%rbx)\n"
        "lea -16(%rbp), %rsp\n pop %r12\n pop %rbx\n pop %rbp\n.cfi_def_cfa 7, 8\n ret\n.cfi_endproc\n");
#else
enum { RESULT_POINTER = 8 };
__asm__(".text\n.globl gate\ngate:\n.cfi_startproc\n stp x29, x30, [sp, -16]!\n.cfi_def_cfa_offset 16\n.cfi_offset 29, -16\n.cfi_offset 30, -8\n"
        "mov x29, sp\n.cfi_def_cfa_register 29\n sub sp, sp, 320\n"
        "stp x0, x1, [sp, 0]\n stp x2, x3, [sp, 16]\n stp x4, x5, [sp, 32]\n stp x6, x7, [sp, 48]\n str x8, [sp, 64]\n"
        "stp q0, q1, [sp, 80]\n stp q2, q3, [sp, 112]\n stp q4, q5, [sp, 144]\n stp q6, q7, [sp, 176]\n"
        "add x9, x29, 16\n stp x16, x9, [sp, 208]\n mov x0, sp\n bl enter_gate\n cbz x0, 1f\n mov x17, x0\n"
        "ldp x0, x1, [sp, 0]\n ldp x2, x3, [sp, 16]\n ldp x4, x5, [sp, 32]\n ldp x6, x7, [sp, 48]\n ldr x8, [sp, 64]\n"
        "ldp q0, q1, [sp, 80]\n ldp q2, q3, [sp, 112]\n ldp q4, q5, [sp, 144]\n ldp q6, q7, [sp, 176]\n"
        "mov sp, x29\n ldp x29, x30, [sp], 16\n br x17\n"
        "1: ldp x0, x1, [sp, 240]\n ldp q0, q1, [sp, 256]\n ldp q2, q3, [sp, 288]\n mov sp, x29\n ldp x29, x30, [sp], 16\n ret\n.cfi_endproc\n");
__asm__(".text\n.globl call_function\ncall_function:\n.cfi_startproc\n stp x29, x30, [sp, -32]!\n.cfi_def_cfa_offset 32\n.cfi_offset 29, -32\n.cfi_offset 30, -24\n"
        "str x19, [sp, 16]\n.cfi_offset 19, -16\n mov x29, sp\n.cfi_def_cfa_register 29\n mov x19, x0\n mov x17, x1\n ldr x9, [x19, 216]\n"
        "sub sp, sp, x2, uxtx #3\n"
        "1: cbz x2, 2f\n sub x2, x2, 1\n ldr x10, [x9, x2, lsl 3]\n str x10, [sp, x2, lsl 3]\n b 1b\n"
        "2: ldp q0, q1, [x19, 80]\n ldp q2, q3, [x19, 112]\n ldp q4, q5, [x19, 144]\n ldp q6, q7, [x19, 176]\n"
        "ldr x8, [x19, 64]\n ldp x6, x7, [x19, 48]\n ldp x4, x5, [x19, 32]\n ldp x2, x3, [x19, 16]\n ldp x0, x1, [x19, 0]\n"
        "blr x17\n stp x0, x1, [x19, 240]\n stp q0, q1, [x19, 256]\n stp q2, q3, [x19, 288]\n"
        "mov sp, x29\n ldr x19, [sp, 16]\n ldp x29, x30, [sp], 32\n ret\n.cfi_endproc\n");
#endif
void call_function(struct frame *frame, void *function, word stack) __attribute__((visibility("hidden")));

static void set_words(word *memory, word count) {
  for (word i = 0; i < count; i++) ((volatile word *)memory)[i] = 0;
}

/*
 * Calls a function with what JavaScript put into a frame: the C library's `bsearch` calls this with what it searches for, the frame, and the only
 * element there is, the function. It was found.
 */
EXPORT int invoke(struct frame *frame, void *function) {
  call_function(frame, function, frame->done);
  return 0;
}

/* Answers for JavaScript. */
static void answer(struct frame *frame) {
  const struct gate *gate = frame->gate;
  set_words(frame->result, 10);
  frame->result[0] = gate->answer;
  if (gate->result_bytes == 0) return;
  frame->result[0] = frame->integers[RESULT_POINTER];
  for (word i = 0; i < gate->result_bytes; i++) ((volatile char *)frame->result[0])[i] = 0;
}

/* Leaves a request, and waits until it was served, or nobody is there any more to serve it. */
static void ask(struct home *home, struct frame *frame) {
  frame->next = 0, frame->done = 0;
  frame->result[0] = home->calls > 1 && !frame->gate->tells_call ? (word)call_here() : 0; /* until it is served */
  home->acquire(home->lock);
  if (!home->gone) {
    if (home->first == 0) home->first = frame;
    else home->last->next = frame;
    home->last = frame;
    home->tell(home->changed);
    while (!frame->done && !home->gone) home->wait(home->changed, home->lock, -1, 0);
  }
  int done = frame->done;
  home->give_back(home->lock);
  if (!done) answer(frame);
}

/* Says what a gate goes on with: JavaScript's function, or 0 where the frame has the result. */
static void *enter_gate(struct frame *frame) __asm__("enter_gate") __attribute__((used));
static void *enter_gate(struct frame *frame) {
  const struct gate *gate = frame->gate;
  struct home *home = gate->home;
  if (gate->function != 0 && !__atomic_load_n(&home->gone, __ATOMIC_ACQUIRE)) {
    /* Where JavaScript doesn't wait for requests, Deno has to bring it there. */
    if (this_thread() == home->thread || !__atomic_load_n(&home->served, __ATOMIC_ACQUIRE)) return gate->function;
    ask(home, frame);
  } else answer(frame);
  return 0;
}

/* Waits for a request, on any thread but JavaScript's. */
EXPORT void await_request(struct home *home) {
  home->acquire(home->lock);
  while (home->first == 0 && !home->stopped && !home->gone) home->wait(home->changed, home->lock, -1, 0);
  home->give_back(home->lock);
}

/* Has JavaScript wait no more. */
EXPORT void stop_waiting(struct home *home) {
  home->acquire(home->lock);
  home->stopped = 1;
  home->tell(home->changed);
  home->give_back(home->lock);
}

/* Serves all requests, on JavaScript's thread. */
EXPORT void serve(struct home *home) {
  for (;;) {
    home->acquire(home->lock);
    struct frame *frame = home->first;
    if (frame != 0) home->first = frame->next;
    home->give_back(home->lock);
    if (frame == 0) return;
    home->caller = frame->result[0];
    if (frame->gate->function != 0) call_function(frame, frame->gate->function, frame->gate->stack);
    else answer(frame);
    home->caller = 0;
    home->acquire(home->lock);
    frame->done = 1;
    home->tell(home->changed);
    home->give_back(home->lock);
  }
}

static void lock(void) {
  while (__atomic_exchange_n(&state.gate_lock, 1, __ATOMIC_ACQUIRE));
}
static void unlock(void) { __atomic_store_n(&state.gate_lock, 0, __ATOMIC_RELEASE); }

static void put_back(struct gate *gate) {
  gate->function = 0;
  gate->home = 0;
  gate->next = state.free_gates;
  state.free_gates = gate;
}

/* Takes a gate that nobody uses; 0 if there is none. */
EXPORT struct gate *take_gate(void) {
  lock();
  struct gate *gate = state.free_gates;
  if (gate != 0) state.free_gates = gate->next;
  unlock();
  return gate;
}

/* Gives one back that C doesn't call any more. */
EXPORT void drop_gate(struct gate *gate) {
  lock();
  put_back(gate);
  unlock();
}

/* Adds a block of gates. */
EXPORT void add_gates(struct block *block) {
  lock();
  block->next = state.blocks;
  state.blocks = block;
  for (word i = 0; i < block->count; i++) put_back(block->gates + i);
  unlock();
}

/* A Worker's thread has ended, and nobody serves any more. While calls of its are under way on other threads its gates stay. */
EXPORT void left(struct home *home) {
  home->acquire(home->lock);
  __atomic_store_n(&home->gone, 1, __ATOMIC_RELEASE);
  home->tell(home->changed);
  home->give_back(home->lock);
  if (home->calls != 0) return;
  lock();
  for (struct block *block = state.blocks; block != 0; block = block->next)
    for (word i = 0; i < block->count; i++)
      if (block->gates[i].home == home) put_back(block->gates + i);
  unlock();
}
