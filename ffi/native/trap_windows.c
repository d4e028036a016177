/*
 * The part of trap.c for Windows on x86-64: stacks are walked and unwound by the tables that each module has, and faults and exceptions come to
 * a vectored handler.
 *
 * C++ on Windows looks for whoever catches an exception up to the thread's first frame, through V8's code and Deno's, where the process would end.
 * So what ggml throws is looked at here before anybody else does: the functions between it and the way out are asked as the system asks them, and
 * one that catches goes on from there; if none does, C failed.
 *
 * Only a C harness under wine ever ran this (tests/ffi/trap_native_test.ts), never Deno on Windows.
 */

#include <windef.h>
#include <winnt.h>

/* This part's part of the state. */
struct windows_state {
  void *modules[8]; /* to find functions in */
  void *(*get_proc_address)(void *, const char *);
  word c[3];      /* where the modules of the C library begin: they may fault on ggml's behalf */
  word system[3]; /* where those begin that call C back */
  __typeof__(&RtlCaptureContext) capture;
  __typeof__(&RtlLookupFunctionEntry) look_up;
  __typeof__(&RtlVirtualUnwind) virtual_unwind;
  __typeof__(&RtlPcToFileHeader) header_of;
  void (*reset_stack)(void);
  void *(*signal)(int, void *);
  void (*previous_abort)(int);
  struct stack *other_stack;
};
#define windows (*(struct windows_state *)own.of_system)
_Static_assert(sizeof(struct windows_state) <= sizeof own.of_system, "the state has room");

enum {
  CPP_EXCEPTION = 0xE06D7363,
  SIGABRT = 22,
  NOT_OURS = 99, /* no kind of trap */
};

/* To unwind on where a thread's own stack is full: for one thread at a time. */
struct stack {
  char bytes[OTHER_STACK];
  word taken;
  NT_TIB thread; /* what the thread says of its own */
};

static void *find(const char *name) {
  for (void **module = windows.modules; *module != 0; module++) {
    void *found = windows.get_proc_address(*module, name);
    if (found != 0) return found;
  }
  return 0;
}

/* What a module calls itself, in the table of what it exports. */
static const char *name_of(word base) {
  const IMAGE_NT_HEADERS *headers = (void *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
  word table = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT].VirtualAddress;
  return table == 0 ? "" : (const char *)(base + ((IMAGE_EXPORT_DIRECTORY *)(base + table))->Name);
}

static struct module module_of(word address) {
  void *base = 0;
  windows.header_of((void *)address, &base);
  return (struct module){base == 0 ? "" : name_of((word)base), (word)base};
}

static int is_system(word base) { return base == windows.system[0] || base == windows.system[1] || base == windows.system[2]; }

/* Walking. */

static word pc_of(struct context *context) { return ((CONTEXT *)context)->Rip; }

/* Where a function begins. The compiler may have described it in pieces, each of which names the one before it. */
static word function_of(struct context *context) {
  DWORD64 base;
  const RUNTIME_FUNCTION *entry = windows.look_up(pc_of(context), &base, 0);
  if (entry == 0) return 0;
  for (;;) {
    const unsigned char *info = (const unsigned char *)(base + entry->UnwindData);
    if (!(info[0] >> 3 & UNW_FLAG_CHAININFO)) return base + entry->BeginAddress;
    entry = (const RUNTIME_FUNCTION *)(info + 4 + (info[2] + 1 & ~1) * 2);
  }
}

static struct registers registers_of(struct context *context) {
  const CONTEXT *at = (const CONTEXT *)context;
  struct registers to = {{at->Rbx, at->Rbp, at->Rsi, at->Rdi, at->R12, at->R13, at->R14, at->R15}, at->Rsp, at->Rip};
  for (int i = 0; i < FLOATS; i++) to.saved[INTEGERS + i] = ((const word *)&at->Xmm6)[i];
  return to;
}

/* Moves to the frame of the caller. Returns what handles exceptions in the function that is left, for a search or for unwinding; 0 if nothing does. */
static PEXCEPTION_ROUTINE step(CONTEXT *at, DWORD what, DISPATCHER_CONTEXT *dispatched) {
  DWORD64 base, frame;
  void *data;
  DISPATCHER_CONTEXT of = {at->Rip};
  RUNTIME_FUNCTION *entry = windows.look_up(at->Rip, &base, 0);
  if (entry == 0) { /* it calls nothing and saves nothing */
    at->Rip = *(word *)at->Rsp;
    at->Rsp += 8;
    return 0;
  }
  of.ImageBase = base, of.FunctionEntry = entry;
  PEXCEPTION_ROUTINE handler = windows.virtual_unwind(what, base, at->Rip, entry, at, &data, &frame, 0);
  of.EstablisherFrame = frame, of.LanguageHandler = handler, of.HandlerData = data;
  *dispatched = of;
  return handler;
}

static void walk_from(CONTEXT *at, reason (*visit)(struct context *, void *), void *argument) {
  DISPATCHER_CONTEXT unused;
  while (visit((struct context *)at, argument) == NO_REASON) step(at, UNW_FLAG_NHANDLER, &unused);
}

static void walk_stack(reason (*visit)(struct context *, void *), void *argument) {
  CONTEXT here;
  windows.capture(&here);
  walk_from(&here, visit, argument);
}

/* Leaving. */

/* Goes on where the registers say, as if the function called there had returned 0; `revive_and_leave` calls `revive` there before. */
__attribute__((noreturn)) void leave(const struct registers *to);
__attribute__((noreturn)) void revive_and_leave(const struct registers *to);
__asm__(".text\nrevive_and_leave:\n lea -64(%rcx), %rsp\n mov %rcx, %rbx\n call revive\n mov %rbx, %rcx\n"
        "leave:\n mov 0(%rcx), %rbx\n mov 8(%rcx), %rbp\n mov 16(%rcx), %rsi\n mov 24(%rcx), %rdi\n"
        "mov 32(%rcx), %r12\n mov 40(%rcx), %r13\n mov 48(%rcx), %r14\n mov 56(%rcx), %r15\n"
        ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n movups \\n*16-32(%rcx), %xmm\\n\n .endr\n"
        "mov 224(%rcx), %rsp\n mov 232(%rcx), %rdx\n cld\n xor %eax, %eax\n pxor %xmm0, %xmm0\n jmp *%rdx\n");

/* The part of the thread's block that says where its stack is. */
static NT_TIB *thread_block(void) {
  NT_TIB *block;
  __asm__ volatile("mov %%gs:0x30, %0" : "=r"(block));
  return block;
}

/*
 * Takes handlers from the thread's list that belong to frames below, and calls each if there is a record for it. On Windows none is listed: 64-bit
 * code has tables. wine lists those of its own C library.
 */
static void drop_listed(word below, EXCEPTION_RECORD *record) {
  NT_TIB *block = thread_block();
  for (;;) {
    struct _EXCEPTION_REGISTRATION_RECORD *listed = block->ExceptionList;
    if ((word)listed - 1 >= below - 1) return; /* or it is 0 */
    block->ExceptionList = listed->Next;
    if (record != 0) listed->Handler(record, listed, 0, 0);
  }
}

/* Puts a guard below the thread's own stack again, on which this runs, and gives the other one back. */
static void revive(void) __asm__("revive") __attribute__((used));
static void revive(void) {
  if (windows.reset_stack != 0) windows.reset_stack();
  __atomic_store_n(&windows.other_stack->taken, 0, __ATOMIC_RELEASE);
}

static void resume(const struct registers *to, word kind) {
  drop_listed(to->sp, 0);
  if (kind != STACK_OVERFLOW) leave(to);
  struct registers *further_up = (struct registers *)(to->sp - 2 * sizeof *to & ~15ull);
  copy(further_up, to, sizeof *to);
  NT_TIB *block = thread_block();
  block->StackBase = windows.other_stack->thread.StackBase, block->StackLimit = windows.other_stack->thread.StackLimit;
  revive_and_leave(further_up);
}

/*
 * Has each function destroy what it must, as RtlUnwindEx does, which can't lead to code that no module has.
 *
 * It says that this is a `longjmp`: C++ that was compiled to see no exceptions but its own (/EHs) destroys nothing for others.
 */
static void unwind_frames(struct trap *trap) {
  CONTEXT at, caller;
  EXCEPTION_RECORD record = {STATUS_LONGJUMP, EXCEPTION_UNWINDING};
  DISPATCHER_CONTEXT dispatched;
  windows.capture(&at);
  while (at.Rip != 0 && !(at.Rsp == trap->to.sp && at.Rip == trap->to.pc)) {
    copy(&caller, &at, sizeof at);
    PEXCEPTION_ROUTINE handler = step(&caller, UNW_FLAG_UHANDLER, &dispatched);
    if (handler != 0) {
      dispatched.TargetIp = trap->to.pc;
      dispatched.ContextRecord = &at;
      handler(&record, (void *)dispatched.EstablisherFrame, &at, &dispatched);
    }
    drop_listed(caller.Rsp, &record);
    copy(&at, &caller, sizeof at);
  }
}

static void start_unwinding(struct trap *trap, const struct registers *from) { unwind(trap); }

/* Exceptions. */

/* From `.?AVname@space@@` to `space::name`; what is more than names stays as it is. */
static char *demangle(char *to, const char *end, const char *type) {
  if (!contains(type, ".?A") || contains(type + 3, "?") || !contains(type, "@@")) return append(to, end, type);
  const char *first = type + 4, *part_end = first;
  while (part_end[0] != '@' || part_end[1] != '@') part_end++;
  for (;;) {
    const char *part = part_end;
    while (part > first && part[-1] != '@') part--;
    for (const char *c = part; c < part_end && to < end; c++) *to++ = *c;
    *to = 0;
    if (part == first) return to;
    to = append(to, end, "::");
    part_end = part - 1;
  }
}

/* What MSVC keeps of a type that is thrown, at distances from where the module begins. */
struct thrown { unsigned attributes; int destroy, compatible, types; };
struct type { unsigned properties; int descriptor, displacement; };
struct descriptor { void *table, *spare; char name[]; };

/* Writes the type of an exception, and its what() if it is a std::exception. */
static void describe(char *text, const word *information) {
  const char *end = text + TEXT - 1;
  word base = information[3];
  const struct thrown *thrown = (const struct thrown *)information[2];
  if (thrown == 0) { /* `throw;` */
    append(text, end, "an exception that was caught and thrown again");
    return;
  }
  const int *types = (const int *)(base + thrown->types);
  for (int i = 0; i < types[0]; i++) {
    const struct type *type = (const struct type *)(base + types[1 + i]);
    const char *name = ((const struct descriptor *)(base + type->descriptor))->name;
    if (i == 0) text = demangle(text, end, name);
    if (!contains(name, ".?AVexception@std@@")) continue;
    void *object = (void *)(information[1] + type->displacement);
    const char *(*what)(void *) = (*(__typeof__(what) **)object)[1];
    append(append(text, end, ": "), end, what(object));
  }
}

/* What the handler of a fault or an exception found, on the stack where the thread goes on. */
struct fallen {
  word pc, cs, flags, sp, ss; /* where that was, as the processor puts it there */
  word kind;
  word way_out;        /* the stack pointer of the frame that it leads to */
  word jumped;         /* as in struct trap */
  word information[4]; /* of the exception's record */
};
enum { HOME = 32, CPP_PARAMETERS = 4 };

/* Asks each function up to the way out whether it catches an exception, as the system does. One that does never returns. */
static void search(const struct fallen *fallen, EXCEPTION_RECORD *record) {
  CONTEXT at, origin;
  DISPATCHER_CONTEXT dispatched;
  windows.capture(&at);
  while (at.Rip != fallen->pc || at.Rsp != fallen->sp) step(&at, UNW_FLAG_NHANDLER, &dispatched);
  copy(&origin, &at, sizeof at);
  while (at.Rip != 0 && at.Rsp < fallen->way_out) {
    PEXCEPTION_ROUTINE handler = step(&at, UNW_FLAG_EHANDLER, &dispatched);
    if (handler == 0) continue;
    dispatched.ContextRecord = &at;
    handler(record, (void *)dispatched.EstablisherFrame, &origin, &dispatched);
  }
}

/* Where a thread goes on after a fault or an exception, with what was found in registers: what is on the stack isn't safe until then. */
void stumbled(void);
__asm__(".text\n.seh_proc stumbled\nstumbled:\n.seh_pushframe\n"
        "mov %rcx, (%rsp)\n mov %rdx, 24(%rsp)\n mov %r8, 40(%rsp)\n mov %r9, 48(%rsp)\n mov %r10, 56(%rsp)\n"
        "movups %xmm0, 64(%rsp)\n movups %xmm1, 80(%rsp)\n"
        "sub $32, %rsp\n.seh_stackalloc 32\n.seh_endprologue\n lea 32(%rsp), %rcx\n call fell\n int3\n.seh_endproc\n");

static EXCEPTION_RECORD record_of(const struct fallen *fallen) {
  EXCEPTION_RECORD record = {CPP_EXCEPTION, EXCEPTION_NONCONTINUABLE, 0, (void *)fallen->pc, CPP_PARAMETERS};
  for (int i = 0; i < CPP_PARAMETERS; i++) record.ExceptionInformation[i] = fallen->information[i];
  return record;
}

static void fell(struct fallen *fallen) __asm__("fell") __attribute__((used));
static void fell(struct fallen *fallen) {
  if (fallen->kind == EXCEPTION) {
    EXCEPTION_RECORD record = record_of(fallen);
    search(fallen, &record);
  }
  struct trap *trap = new_trap(fallen->kind, "", 0);
  if (trap != 0) {
    trap->address = fallen->information[1], trap->jumped = fallen->jumped;
    if (fallen->kind == EXCEPTION) describe(trap->text, fallen->information);
    leave_with(trap);
  }
  give_up();
  state.exit(-1, STATUS_FATAL_APP_EXIT); /* there is no memory, or the stack was full of what isn't ggml's */
}

static word kind_of(const EXCEPTION_RECORD *record) {
  switch (record->ExceptionCode) {
    case CPP_EXCEPTION: return record->NumberParameters >= CPP_PARAMETERS ? EXCEPTION : NOT_OURS;
    case STATUS_INTEGER_DIVIDE_BY_ZERO:
    case STATUS_INTEGER_OVERFLOW: return DIVISION;
    case STATUS_STACK_OVERFLOW: return STACK_OVERFLOW;
    case STATUS_ACCESS_VIOLATION: return record->ExceptionInformation[1] < LOW ? NULL_POINTER : NOT_OURS;
    default: return NOT_OURS;
  }
}

/* Whether the module that an address lies in may fault on ggml's behalf. */
static int may_fault(word pc) {
  struct module module = module_of(pc);
  return is_ggml(module) || (module.base != 0 && (module.base == windows.c[0] || module.base == windows.c[1] || module.base == windows.c[2]));
}

/* Whether the way out leads past ggml's code; then where its frame is. */
__attribute__((noinline)) static word find_way_out(const CONTEXT *context, word pc, word sp, int jumped) {
  CONTEXT at;
  struct walk walk;
  copy(&at, context, sizeof at);
  at.Rip = pc, at.Rsp = sp;
  clear(&walk, sizeof walk);
  walk.failed = jumped;
  walk_from(&at, visit, &walk);
  return !walk.failed ? 0 : walk.has_call ? walk.way_out.sp : walk.has_thread ? walk.thread.sp : 0;
}

/* Where on the other stack to go on. It may be another thread's for a while. */
static word take_other_stack(void) {
  struct stack *stack = windows.other_stack;
  while (__atomic_exchange_n(&stack->taken, 1, __ATOMIC_ACQUIRE));
  NT_TIB *block = thread_block();
  stack->thread = *block;
  block->StackBase = &stack->taken, block->StackLimit = stack;
  return (word)&stack->taken;
}

/* The vectored handler: sees each exception of the process before anybody else. Where the stack is full, there is room for little more than this. */
static LONG faulted(EXCEPTION_POINTERS *what) {
  const EXCEPTION_RECORD *record = what->ExceptionRecord;
  CONTEXT *context = what->ContextRecord;
  word kind = kind_of(record), pc = context->Rip, sp = context->Rsp, way_out = 0, jumped = 0;
  if (kind == NOT_OURS) return EXCEPTION_CONTINUE_SEARCH;
  if (pc < LOW) { /* a null pointer was called: it is the caller's */
    pc = *(word *)sp, sp += 8;
    jumped = is_script(pc);
  }
  if (kind != EXCEPTION && !jumped && !may_fault(pc)) return EXCEPTION_CONTINUE_SEARCH;
  if (kind != STACK_OVERFLOW && (way_out = find_way_out(context, pc, sp, jumped)) == 0) return EXCEPTION_CONTINUE_SEARCH;
  word top = kind == STACK_OVERFLOW ? take_other_stack() : sp;
  context->Rip = (word)stumbled, context->Rsp = top - sizeof(struct fallen) & ~15ull;
  context->Rcx = pc, context->Rdx = sp, context->R8 = kind, context->R9 = way_out, context->R10 = jumped;
  copy(&context->Xmm0, record->ExceptionInformation, sizeof context->Xmm0);
  copy(&context->Xmm1, record->ExceptionInformation + 2, sizeof context->Xmm1);
  return EXCEPTION_CONTINUE_EXECUTION;
}

/* Finds the exception that is looked at when an abort comes, because a function that it passed said that it lets none pass. */
static reason visit_search(struct context *context, void *argument) {
  word pc = pc_of(context), base = module_of(pc).base;
  if (!is_here(pc)) return base == 0 || base == own.deno ? END_OF_STACK : NO_REASON;
  if (function_of(context) == (word)forward || function_of(context) == (word)call_function) return END_OF_STACK;
  if (function_of(context) != (word)stumbled) return NO_REASON;
  *(struct fallen **)argument = (struct fallen *)(((CONTEXT *)context)->Rsp + HOME);
  return END_OF_STACK;
}

/* The handler of SIGABRT: what std::terminate does in the end, on whatever thread. */
static void interrupted(int signal) {
  windows.signal(SIGABRT, interrupted); /* the C library forgets it */
  struct trap *trap = new_trap(EXCEPTION, "std::terminate or abort was called", 0);
  if (trap != 0) {
    struct fallen *fallen = 0;
    walk_stack(visit_search, &fallen);
    if (fallen != 0 && fallen->kind == EXCEPTION) describe(trap->text, fallen->information);
    leave_with(trap);
    state.free(trap);
  }
  give_up();
  /* Whoever handled it before does; then abort goes on. */
  windows.signal(SIGABRT, windows.previous_abort);
  if ((word)windows.previous_abort > 1) windows.previous_abort(signal);
}

/* Calls. */

/*
 * Calls C on a thread that Deno lends: nothing is unwound beyond it. Registers hold what they did; what is on the stack, up to the mark, is copied.
 */
__asm__(".text\n.globl forward\n.seh_proc forward\nforward:\n push %rbp\n.seh_pushreg %rbp\n push %rbx\n.seh_pushreg %rbx\n"
        "sub $8, %rsp\n.seh_stackalloc 8\n mov %rsp, %rbp\n.seh_setframe %rbp, 0\n.seh_endprologue\n"
        "lea 64(%rbp), %r10\n mov %r10, %r11\n movabs $" CALL_MARK ", %rax\n"
        "1: add $8, %r11\n cmp %rax, -8(%r11)\n jne 1b\n"
        "mov (%r11), %rbx\n mov %r11, %rax\n sub %rbp, %rax\n and $8, %eax\n add %rax, %r11\n" /* an even number of words */
        "2: sub $8, %r11\n push (%r11)\n cmp %r10, %r11\n jne 2b\n"
        "sub $32, %rsp\n call *(%rbx)\n lea 8(%rbp), %rsp\n pop %rbx\n pop %rbp\n ret\n.seh_endproc\n");

/* Setting. */

extern RUNTIME_FUNCTION function_table[], function_table_end[];

static int connect(void *const *modules, void *get_proc_address) {
  windows.get_proc_address = get_proc_address;
  word count = 0;
  for (; *modules != 0 && count < 5; modules++) windows.modules[count++] = *modules;
  word (*module_named)(const char *) = find("GetModuleHandleA");
  if (module_named == 0) return 0;
  windows.c[0] = module_named("ucrtbase.dll"), windows.c[1] = module_named("vcruntime140.dll"), windows.c[2] = module_named("msvcp140.dll");
  windows.system[0] = module_named("ntdll.dll"), windows.system[1] = module_named("kernel32.dll"), windows.system[2] = windows.c[0];
  windows.modules[count++] = (void *)windows.c[0], windows.modules[count++] = (void *)windows.system[0];
  own.deno = module_named(0);
  windows.capture = find("RtlCaptureContext");
  windows.look_up = find("RtlLookupFunctionEntry");
  windows.virtual_unwind = find("RtlVirtualUnwind");
  windows.header_of = find("RtlPcToFileHeader");
  windows.reset_stack = find("_resetstkoflw");
  windows.signal = find("signal");
  __typeof__(&RtlAddFunctionTable) add_table = find("RtlAddFunctionTable");
  if (!windows.capture || !windows.look_up || !windows.virtual_unwind || !windows.header_of || !windows.signal || !add_table) return 0;
  windows.other_stack = state.allocate(sizeof *windows.other_stack);
  if (windows.other_stack == 0) return 0;
  windows.other_stack->taken = 0;
  return add_table(function_table, function_table_end - function_table, (word)code_begin);
}

static void listen(void) {
  void *(*add_handler)(ULONG, void *) = find("AddVectoredExceptionHandler");
  if (add_handler != 0) add_handler(1, faulted);
  windows.previous_abort = windows.signal(SIGABRT, interrupted);
}

static void make_room(void) {} /* Windows tells on the thread's own stack */

static void run_aside(void *(*function)(void *)) {
  HANDLE (*create)(void *, word, void *, void *, DWORD, DWORD *) = find("CreateThread");
  DWORD (*wait)(HANDLE, DWORD) = find("WaitForSingleObject");
  BOOL (*close)(HANDLE) = find("CloseHandle");
  HANDLE thread = create != 0 && wait != 0 && close != 0 ? create(0, 0, function, 0, 0, 0) : 0;
  if (thread == 0) {
    function(0);
    return;
  }
  wait(thread, (DWORD)-1 /* for as long as it takes */);
  close(thread);
}
