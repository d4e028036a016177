/*
 * The part of trap.c for Linux and macOS: stacks are walked and unwound by the unwinder that C++ libraries have loaded anyway, faults and
 * aborts come as signals.
 *
 * This was run on Linux, for Arm under qemu. For macOS it was never run: what differs there is from what its headers and sources say.
 */

#include <stddef.h>

enum { SIGABRT = 6 };

struct exception { /* _Unwind_Exception */
  word class;
  void (*cleanup)(int, struct exception *);
  word private[6];
};

/* What a system's structs look like. */
struct system {
  word flags, flags_offset;   /* sa_flags: SA_SIGINFO, SA_ONSTACK and SA_RESTART; where they are in struct sigaction */
  word siginfo;               /* SA_SIGINFO */
  word address;               /* si_addr in siginfo_t */
  word machine_pointer;       /* of a pointer to the registers in ucontext_t; 0: they are in it */
  word sp, pc;
  word bus;                   /* SIGBUS */
  word abort_flags;           /* SA_SIGINFO and SA_RESTART */
};

/* This part's part of the state. */
struct posix_state {
  void *library; /* ggml's, which sees the unwinder and the C library */
  void *(*dlsym)(void *, const char *);
  word libc; /* where it begins */
  reason (*backtrace)(reason (*)(struct context *, void *), void *);
  reason (*forced_unwind)(struct exception *, reason (*)(int, int, word, struct exception *, struct context *, void *), void *);
  word (*get_ip)(struct context *);
  word (*get_cfa)(struct context *);
  word (*get_register)(struct context *, int);
  word (*region_start)(struct context *);
  int (*dladdr)(word, void *);
  int (*sigaction)(int, const void *, void *);
  int (*raise)(int);
  int (*munmap)(void *, word);
  int (*sigaltstack)(const void *, void *); /* 0 where stacks for signals stay as they are */
  void *(*get_specific)(unsigned);
  int (*set_specific)(unsigned, const void *);
  unsigned stack_key; /* of a thread's own stack for signals */
  word abort, assert_fail;              /* C's functions */
  struct message_of_c **message, *kept; /* where glibc keeps what it aborts of; the last one that was taken from there */
  int (*step)(void *); /* of libunwind, on macOS */
  void (*previous_terminate)(void);
  word previous_division[20], previous_fault[20], previous_bus[20], previous_abort[20]; /* struct sigaction */
};
#define posix (*(struct posix_state *)own.of_system)
_Static_assert(sizeof(struct posix_state) <= sizeof own.of_system, "the state has room");
#define the_system (*(const struct system *)own.layouts.of_system)

static void *find(const char *name) { return posix.dlsym(posix.library, name); }

static struct module module_of(word address) {
  struct { const char *path; word base; const char *symbol; word symbol_address; } info; /* Dl_info */
  if (posix.dladdr(address, &info) == 0) return (struct module){"", 0};
  const char *name = info.path;
  for (const char *at = name; *at != 0; at++)
    if (*at == '/') name = at + 1;
  return (struct module){name, info.base};
}

static int is_system(word base) { return base == posix.libc; }

/* Walking. */

/* The numbers of the registers in DWARF. */
#if defined(__x86_64__)
static int number(int i) { return i == 0 ? 3 : i == 1 ? 6 : 10 + i; }
#else
static int number(int i) { return i < INTEGERS ? 19 + i : 72 + i - INTEGERS; }
#endif

static word pc_of(struct context *context) { return posix.get_ip(context); }
static word function_of(struct context *context) { return posix.region_start(context); }

static struct registers registers_of(struct context *context) {
  struct registers at;
  for (int i = 0; i < INTEGERS + FLOATS; i++) at.saved[i] = posix.get_register(context, number(i));
  at.sp = posix.get_cfa(context);
  at.pc = posix.get_ip(context);
  return at;
}

static void walk_stack(reason (*visit)(struct context *, void *), void *argument) {
  if (posix.step == 0) {
    posix.backtrace(visit, argument);
    return;
  }
  /* macOS: its _Unwind_Backtrace ends before that frame. A context of its functions is a cursor. */
  word machine[256], cursor[256];
  void (*get_context)(void *) = find("unw_getcontext");
  void (*init_local)(void *, void *) = find("unw_init_local");
  get_context(machine);
  init_local(cursor, machine);
  while (visit((struct context *)cursor, argument) == NO_REASON)
    if (posix.step(cursor) <= 0) {
      visit((struct context *)cursor, argument);
      return;
    }
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

static void resume(const struct registers *to, word kind) { leave(to); }

/* Unwinds from a frame further up: as if the function there had called `unwind` where it called what it is in. */
__attribute__((noreturn, visibility("hidden"))) void unwind_from(const struct registers *frame, struct trap *trap);
#if defined(__x86_64__)
__asm__(".text\n.hidden unwind_from\nunwind_from:\n.cfi_startproc\n"
        ".cfi_escape 0x0f, 3, 0x77, 8, 0x06\n" /* the frame is where 8(%rsp) points */
        ".cfi_escape 0x10, 16, 2, 0x77, 0\n"   /* the return address is at (%rsp) */
        "mov 0(%rdi), %rbx\n mov 8(%rdi), %rbp\n mov 16(%rdi), %r12\n mov 24(%rdi), %r13\n mov 32(%rdi), %r14\n mov 40(%rdi), %r15\n"
        "mov 48(%rdi), %rax\n mov 56(%rdi), %rcx\n sub $24, %rsp\n mov %rcx, (%rsp)\n mov %rax, 8(%rsp)\n mov %rsi, %rdi\n call unwind\n ud2\n"
        ".cfi_endproc\n");
#else
__asm__(".text\n.hidden unwind_from\nunwind_from:\n.cfi_startproc\n.cfi_return_column 17\n"
        ".cfi_escape 0x0f, 3, 0x8f, 8, 0x06\n" /* the frame is where [sp, 8] points */
        ".cfi_escape 0x10, 17, 2, 0x8f, 0\n"   /* the return address is at [sp] */
        "ldp x19, x20, [x0, 0]\n ldp x21, x22, [x0, 16]\n ldp x23, x24, [x0, 32]\n ldp x25, x26, [x0, 48]\n ldp x27, x28, [x0, 64]\n"
        "ldr x29, [x0, 80]\n ldp d8, d9, [x0, 88]\n ldp d10, d11, [x0, 104]\n ldp d12, d13, [x0, 120]\n ldp d14, d15, [x0, 136]\n"
        "ldp x2, x3, [x0, 152]\n stp x3, x2, [sp, -16]!\n mov x0, x1\n bl unwind\n brk 1\n"
        ".cfi_endproc\n");
#endif

static reason stop(int version, int actions, word class, struct exception *exception, struct context *context, void *argument) {
  struct trap *trap = argument;
  if (posix.get_cfa(context) == trap->to.sp && posix.get_ip(context) == trap->to.pc) deliver(trap);
  return NO_REASON;
}

/* `catch (...)` caught it, too, and ends: what fails must not go on, so the unwinding does. */
static void swallowed(int why, struct exception *exception) {
  struct trap *trap = (struct trap *)((char *)exception - offsetof(struct trap, of_unwinder));
  unwind_frames(trap);
  deliver(trap);
}

static void unwind_frames(struct trap *trap) {
  struct exception *exception = (struct exception *)trap->of_unwinder;
  exception->class = 0;
  exception->cleanup = swallowed;
  posix.forced_unwind(exception, stop, trap);
}

/*
 * What terminates C++ catches all that passes, and aborts: unwinding begins at the function that threw. Where a function faults, the compiler
 * says nothing of what to destroy, and C++ would terminate: it begins at its caller.
 */
static void start_unwinding(struct trap *trap, const struct registers *from) {
  if (trap->kind == ASSERTION) unwind(trap);
  unwind_from(from, trap);
}

/* Exceptions. */

/* What C++ says of the exception that nobody catches. */
static void describe(char *text) {
  const char *end = text + TEXT - 1;
  void **(*current_type)(void) = find("__cxa_current_exception_type");
  void **thrown = current_type != 0 ? current_type() : 0;
  if (thrown == 0) {
    append(text, end, "std::terminate was called");
    return;
  }
  char *(*demangle)(const char *, char *, word *, int *) = find("__cxa_demangle");
  int failed = 1;
  char *name = demangle != 0 ? demangle(thrown[1], 0, 0, &failed) : 0;
  char *at = append(text, end, failed ? thrown[1] : name);
  if (name != 0) state.free(name);
  /* Its what(), if it is a std::exception. */
  void *type = find("_ZTISt9exception");
  _Bool (*is_a)(void *, void *, void **, unsigned) = find("_ZNKSt9type_info10__do_catchEPKS_PPvj");
  void (*current)(void **) = find("_ZSt17current_exceptionv");
  void (*release)(void **) = find("_ZNSt15__exception_ptr13exception_ptrD1Ev");
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
    void *(*current_type)(void) = find("__cxa_current_exception_type");
    void (*end_catch)(void) = find("__cxa_end_catch");
    if (current_type != 0 && end_catch != 0 && current_type() != 0) end_catch();
    leave_with(trap);
  }
  print_waiting();
  if (posix.previous_terminate != 0 && state.report == 0) posix.previous_terminate();
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
  clear(action, sizeof action);
  posix.sigaction(signal, action, 0);
  posix.raise(signal);
}

__attribute__((used)) static void fell(struct trap *trap) __asm__("fell");
static void fell(struct trap *trap) {
  leave_with(trap);
  /* It was not C that ggml called. */
  int signal = trap->kind == DIVISION ? 8 : trap->kind == SHORT_FILE ? (int)the_system.bus : trap->kind == ABORT ? SIGABRT : 11;
  state.free(trap);
  if (signal == SIGABRT) give_up();
  die_of(signal);
}

/* Whether the library that an address lies in may fault on ggml's behalf. */
static int may_fault(word pc) {
  struct module module = module_of(pc);
  return is_ggml(module) || (module.base != 0 && (module.base == posix.libc || contains(module.name, "libstdc++") || contains(module.name, "libgomp")));
}

/* Hands a signal to whoever had it before. */
static void pass_on(int signal, void *info, void *context) {
  word *previous = signal == 8 ? posix.previous_division : signal == 11 ? posix.previous_fault : posix.previous_bus;
  if (signal == SIGABRT) {
    give_up();
    previous = posix.previous_abort;
    if (previous[0] == 1 /* SIG_IGN */) return;
  }
  int flags = *(int *)((char *)previous + the_system.flags_offset);
  if (previous[0] <= 1) die_of(signal);
  else if (flags & the_system.siginfo) ((void (*)(int, void *, void *))previous[0])(signal, info, context);
  else ((void (*)(int))previous[0])(signal);
}

/* The registers of the thread that a signal interrupted. */
struct interrupted { word *sp, *pc; };
static struct interrupted interrupted_at(void *context) {
  char *machine = the_system.machine_pointer ? *(char **)((char *)context + the_system.machine_pointer) : context;
  return (struct interrupted){(word *)(machine + the_system.sp), (word *)(machine + the_system.pc)};
}

/* Has the thread go on in `stumbled`, as if what ends at `end` had called that, in a frame below `top_of_frame`. */
static void stumble(struct interrupted at, struct trap *trap, word end, word top_of_frame) {
  /* On the other stack; else below what this handler uses, if it runs on the same one, and what a function may use beyond its stack pointer. */
  word below = (word)__builtin_frame_address(0) - 0x1000;
  if (*at.sp - below > LOW) below = *at.sp - 256;
  word *top = (word *)((trap->kind == STACK_OVERFLOW ? (word)(trap + 1) + OTHER_STACK : below) & ~15ull) - 4;
  top[0] = end, top[1] = top_of_frame, top[2] = (word)trap;
  *at.sp = (word)top;
  *at.pc = (word)stumbled;
}

static int code_of(const void *info) { return *(int *)((char *)info + 8); } /* si_code */

static void listen_for_aborts(void);

/* The handler of SIGFPE, SIGSEGV and SIGBUS. */
EXPORT void faulted(int signal, void *info, void *context) {
  struct interrupted at = interrupted_at(context);
  word *sp = at.sp, *pc = at.pc;
  word address = *(word *)((char *)info + the_system.address);
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
  int code = code_of(info);
  int near = address - (*sp - LOW) < 2 * LOW; /* the guard below the stack */
  if (the_system.bus == 7) {                  /* Linux tells more than macOS */
    if (signal == 7) kind = SHORT_FILE;
    else if (kind == STACK_OVERFLOW && !near && code == 2 /* SEGV_ACCERR */) kind = READ_ONLY;
  }
  struct trap *trap = 0;
  int sent = code <= 0; /* by kill, and not by the processor */
  if (!sent && (kind != STACK_OVERFLOW || near) && (jumped || may_fault(end - 1)))
    trap = new_trap(kind, "", kind == STACK_OVERFLOW ? OTHER_STACK : 0);
  if (trap == 0) {
    /* Of a full stack Rust's handler aborts. The stack for signals, which it runs on, has no room for one more of them. */
    if (near) posix.sigaction(SIGABRT, posix.previous_abort, 0);
    pass_on(signal, info, context);
    if (near) listen_for_aborts();
    return;
  }
  trap->address = address, trap->jumped = jumped;
  stumble(at, trap, end, top_of_frame);
}

/* Aborts. */

/* What is walked over to see who called abort(). */
struct aborting {
  word begin;  /* where the signal came; 0 once that was passed */
  word called; /* what the last frame is one of */
  int between; /* how many frames were passed since abort()'s */
  int by_ggml; /* a function of ggml's came, and it isn't ggml_abort */
};

/* Ends at the first frame of ggml's. */
static reason visit_abort(struct context *context, void *argument) {
  struct aborting *aborting = argument;
  word pc = pc_of(context);
  if (pc == 0) return END_OF_STACK;
  if (aborting->begin != 0 && pc != aborting->begin) return NO_REASON; /* the handler's own */
  aborting->begin = 0;
  word function = function_of(context);
  if (is_ggml(module_of(pc - 1))) {
    aborting->by_ggml = function != own.abort;
    return END_OF_STACK;
  }
  if (aborting->between > 0 || aborting->called == posix.abort) aborting->between++;
  aborting->called = function;
  return is_script(pc - 1) ? END_OF_STACK : NO_REASON;
}

/* What glibc keeps, for debuggers: whoever puts the next one there gives the pages of the last back. */
struct message_of_c {
  unsigned size; /* of the pages */
  char text[];
};

/* What C aborts of. Threads that fail at once may say the same. */
static const char *take_message(void) {
  struct message_of_c *message = posix.message != 0 ? __atomic_exchange_n(posix.message, 0, __ATOMIC_ACQ_REL) : 0;
  if (message != 0) {
    if (posix.kept != 0) posix.munmap(posix.kept, posix.kept->size);
    posix.kept = message;
  }
  return posix.kept != 0 ? posix.kept->text : "";
}

/*
 * The trap where ggml itself called abort(), or C's assert; else 0, as where free() did, which holds locks. In some releases of glibc assert's own
 * frame is gone: then there is one without a name, and what it says.
 */
static struct trap *trap_abort(const struct aborting *aborting) {
  if (!aborting->by_ggml) return 0;
  if (aborting->called == posix.abort) return new_trap(ABORT, "", 0);
  int named = aborting->called == posix.assert_fail;
  if (!named && (aborting->between != 1 || module_of(aborting->called).base != posix.libc)) return 0;
  lock();
  const char *text = take_message();
  struct trap *trap = 0;
  if (contains(text, "Assertion `")) trap = new_trap(ABORT, text, 0);
  else if (named) trap = new_trap(ABORT, "C's assert failed, and printed of what", 0);
  unlock();
  return trap;
}

/* The handler of SIGABRT, which runs on the thread's own stack: that for signals may be too small to walk from. */
EXPORT void abort_raised(int signal, void *info, void *context) {
  struct interrupted at = interrupted_at(context);
  struct aborting aborting = {*at.pc};
  int raised = the_system.bus != 7 || code_of(info) == -6 /* SI_TKILL */; /* Linux tells it from what another process sent */
  if (raised) walk_stack(visit_abort, &aborting);
  struct trap *trap = trap_abort(&aborting);
  if (trap == 0) {
    pass_on(signal, info, context);
    return;
  }
  if (the_system.bus == 10) *(unsigned *)((char *)context + 4) = 0; /* uc_sigmask: macOS' abort() has blocked all other signals */
  stumble(at, trap, *at.pc + 1, *at.sp);
}

/* Stacks for signals. */

/*
 * What a handler finds on its stack first is all that the processor keeps for the thread. For one that has used AMX that is 11 KB: as much as Rust's
 * stack for signals has, so that the system would end the process instead of calling a handler. Threads that call C get a larger one.
 */
enum { HANDLER_STACK = 0x8000, SS_DISABLE = 2 };

struct signal_stack { /* stack_t of Linux */
  void *memory;
  int flags;
  word size;
};

/* A thread ends. Rust has taken its stack for signals from it by now. */
static void drop_signal_stack(void *memory) {
  struct signal_stack none = {0, SS_DISABLE, 0};
  posix.sigaltstack(&none, 0);
  state.free(memory);
}

__attribute__((used)) static void prepare_thread(void) __asm__("prepare_thread");
static void prepare_thread(void) {
  if (posix.sigaltstack == 0 || posix.get_specific(posix.stack_key) != 0) return;
  struct signal_stack stack;
  if (posix.sigaltstack(0, &stack) != 0 || stack.flags != 0) return; /* it has none, or is on it */
  stack.size += HANDLER_STACK;
  stack.memory = state.allocate(stack.size);
  if (stack.memory == 0) return;
  if (posix.sigaltstack(&stack, 0) != 0) state.free(stack.memory);
  else posix.set_specific(posix.stack_key, stack.memory);
}

static void find_signal_stacks(void) {
  int (*create_key)(unsigned *, void (*)(void *)) = find("pthread_key_create");
  posix.get_specific = find("pthread_getspecific"), posix.set_specific = find("pthread_setspecific");
  if (the_system.bus != 7 /* Linux */ || !create_key || !posix.get_specific || !posix.set_specific) return;
  if (create_key(&posix.stack_key, drop_signal_stack) == 0) posix.sigaltstack = find("sigaltstack");
}

/* Calls. */

/*
 * Calls C on a thread that Deno lends: nothing is unwound beyond it. Registers hold what they did; what is on the stack, up to the mark, is copied.
 */
#if defined(__x86_64__)
__asm__(".text\n.globl forward\nforward:\n.cfi_startproc\n.cfi_undefined rip\n"
        "push %rbp\n mov %rsp, %rbp\n push %rbx\n sub $8, %rsp\n"
        "push %rdi\n push %rsi\n push %rdx\n push %rcx\n push %r8\n push %r9\n sub $128, %rsp\n"
        "movups %xmm0, (%rsp)\n movups %xmm1, 16(%rsp)\n movups %xmm2, 32(%rsp)\n movups %xmm3, 48(%rsp)\n"
        "movups %xmm4, 64(%rsp)\n movups %xmm5, 80(%rsp)\n movups %xmm6, 96(%rsp)\n movups %xmm7, 112(%rsp)\n call prepare_thread\n"
        "movups (%rsp), %xmm0\n movups 16(%rsp), %xmm1\n movups 32(%rsp), %xmm2\n movups 48(%rsp), %xmm3\n"
        "movups 64(%rsp), %xmm4\n movups 80(%rsp), %xmm5\n movups 96(%rsp), %xmm6\n movups 112(%rsp), %xmm7\n"
        "add $128, %rsp\n pop %r9\n pop %r8\n pop %rcx\n pop %rdx\n pop %rsi\n pop %rdi\n"
        "lea 16(%rbp), %r10\n mov %r10, %r11\n movabs $" CALL_MARK ", %rax\n"
        "1: add $8, %r11\n cmp %rax, -8(%r11)\n jne 1b\n"
        "mov (%r11), %rbx\n mov %r11, %rax\n sub %rbp, %rax\n and $8, %eax\n add %rax, %r11\n" /* an even number of words */
        "2: sub $8, %r11\n push (%r11)\n cmp %r10, %r11\n jne 2b\n"
        "mov $8, %eax\n call *(%rbx)\n lea -8(%rbp), %rsp\n pop %rbx\n pop %rbp\n ret\n.cfi_endproc\n"); /* al: for functions with `...` */
#else
__asm__(".text\n.globl forward\nforward:\n.cfi_startproc\n.cfi_undefined x30\n"
        "stp x29, x30, [sp, -32]!\n str x19, [sp, 16]\n mov x29, sp\n"
        "sub sp, sp, 208\n stp x0, x1, [sp]\n stp x2, x3, [sp, 16]\n stp x4, x5, [sp, 32]\n stp x6, x7, [sp, 48]\n str x8, [sp, 64]\n"
        "stp q0, q1, [sp, 80]\n stp q2, q3, [sp, 112]\n stp q4, q5, [sp, 144]\n stp q6, q7, [sp, 176]\n bl prepare_thread\n"
        "ldp x0, x1, [sp]\n ldp x2, x3, [sp, 16]\n ldp x4, x5, [sp, 32]\n ldp x6, x7, [sp, 48]\n ldr x8, [sp, 64]\n"
        "ldp q0, q1, [sp, 80]\n ldp q2, q3, [sp, 112]\n ldp q4, q5, [sp, 144]\n ldp q6, q7, [sp, 176]\n add sp, sp, 208\n"
        "add x12, x29, 32\n mov x9, x12\n ldr x10, =" CALL_MARK "\n"
        "1: ldr x11, [x9], 8\n cmp x11, x10\n b.ne 1b\n"
        "ldr x19, [x9]\n sub x10, x9, x29\n and x10, x10, 8\n add x9, x9, x10\n" /* an even number of words */
        "2: ldp x10, x11, [x9, -16]!\n stp x10, x11, [sp, -16]!\n cmp x9, x12\n b.ne 2b\n"
        "ldr x16, [x19]\n blr x16\n mov sp, x29\n ldr x19, [sp, 16]\n ldp x29, x30, [sp], 32\n ret\n.ltorg\n.cfi_endproc\n");
#endif

/* Setting. */

extern char unwind_tables[] __attribute__((visibility("hidden")));

static word address_of_main(void) {
  word (*getauxval)(word) = find("getauxval");
  word (*first_image)(unsigned) = find("_dyld_get_image_header");
  if (getauxval != 0) return module_of(getauxval(3 /* AT_PHDR */)).base;
  return first_image != 0 ? first_image(0) : 0;
}

/* Each description of a function, for macOS, which takes one at a time. */
static void register_each(void (*register_frame)(void *)) {
  for (char *at = unwind_tables; *(unsigned *)at != 0; at += *(unsigned *)at + 4)
    if (*(unsigned *)(at + 4) != 0) register_frame(at);
}

static void handle(int signal, void (*handler)(int, void *, void *), word flags, void *previous) {
  word action[20];
  clear(action, sizeof action);
  action[0] = (word)handler;
  *(int *)((char *)action + the_system.flags_offset) = flags;
  posix.sigaction(signal, action, previous);
}

static void listen_for_aborts(void) { handle(SIGABRT, abort_raised, the_system.abort_flags, 0); }

static int connect(void *const *libraries, void *dlsym) {
  posix.library = libraries[0], posix.dlsym = dlsym;
  posix.backtrace = find("_Unwind_Backtrace");
  posix.forced_unwind = find("_Unwind_ForcedUnwind");
  posix.get_ip = find("_Unwind_GetIP");
  posix.get_cfa = find("_Unwind_GetCFA");
  posix.get_register = find("_Unwind_GetGR");
  posix.region_start = find("_Unwind_GetRegionStart");
  posix.dladdr = find("dladdr");
  posix.sigaction = find("sigaction");
  posix.raise = find("raise"), posix.munmap = find("munmap");
  posix.abort = (word)find("abort");
  posix.assert_fail = (word)find("__assert_fail");
  if (posix.assert_fail == 0) posix.assert_fail = (word)find("__assert_rtn"); /* macOS */
  posix.message = find("__abort_msg");
  posix.step = find("unw_step");
  void (*register_frame)(void *) = find("__register_frame");
  if (!posix.backtrace || !posix.forced_unwind || !posix.get_ip || !posix.get_cfa || !posix.get_register || !posix.region_start) return 0;
  if (!posix.dladdr || !posix.sigaction || !posix.raise || !posix.munmap || !register_frame) return 0;
  own.deno = address_of_main();
  if (own.deno == 0) return 0;
  posix.libc = module_of((word)find("getpid")).base;
  find_signal_stacks();
  if (posix.step != 0) register_each(register_frame);
  else register_frame(unwind_tables);
  return 1;
}

static void listen(void) {
  void *(*set_terminate)(void *) = find("_ZSt13set_terminatePFvvE");
  if (set_terminate != 0) posix.previous_terminate = set_terminate(terminated);
  handle(8, faulted, the_system.flags, posix.previous_division);
  handle(11, faulted, the_system.flags, posix.previous_fault);
  handle(the_system.bus, faulted, the_system.flags, posix.previous_bus);
  posix.sigaction(SIGABRT, 0, posix.previous_abort);
  listen_for_aborts();
}

static void run_aside(void *(*function)(void *)) {
  int (*create)(word *, const void *, void *(*)(void *), void *) = find("pthread_create");
  int (*join)(word, void **) = find("pthread_join");
  word thread;
  if (create == 0 || join == 0 || create(&thread, 0, function, 0) != 0) function(0);
  else join(thread, 0);
}
