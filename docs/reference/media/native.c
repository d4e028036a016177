/*
 * The few functions that C may call at any time, from any thread, while JavaScript is blocked in a call of its own. TypeScript can't
 * write them: a JavaScript function called from another thread waits for the event loop, and deadlocks if that waits for the thread.
 *
 * This file is not compiled where it is used. Its machine code is in native_code.ts, for each calling convention, made by
 * `UPDATE=1 deno test -A tests/native_test.ts`; native.ts puts it into memory. So nothing here may need a relocation, a library or a
 * constant in memory: everything that is called is a pointer in `state`, which lies at a fixed distance from the code.
 */

typedef unsigned long long word;

/* A message that waits for JavaScript. */
struct message {
  struct message *next; /* the one that came before it */
  word level;
  word length;
  char text[]; /* and a NUL */
};

/* One word each, at the same index in native.ts. */
struct state {
  void (*print)(word level, const char *text, void *user_data); /* ggml's own logger: writes to stderr */
  void *(*allocate)(word size);
  void (*free)(void *memory);
  word (*thread)(void); /* which thread is running */
  word thread_mask;     /* the bits of its result that count */
  void (*exit)(word, word);
  word exit_first, exit_second; /* its arguments */
  word last_level;              /* of the last message that is no continuation */
  struct message *head;         /* of the messages that wait, the newest first */
  word log_thread;              /* where `wake` may be called; 0: nowhere */
  void (*wake)(void);           /* JavaScript: there are messages */
  word awake;                   /* 1 once `wake` was called, until it is set to 0 */
  word abort_thread;            /* where the two below may be called; 0: nowhere */
  void (*on_abort)(const char *message); /* JavaScript: prints the stack */
  void (*on_terminate)(void);
  void (*previous_terminate)(void);
  const char *elsewhere; /* what to print of an abort on another thread */
  const char *report;    /* how to report it */
  word ended;            /* 1 while the process exits: no JavaScript runs any more */
};
extern struct state state __attribute__((visibility("hidden")));

enum { NONE, DEBUG, INFO, WARN, ERROR, CONT };

static int on(word thread) { return thread != 0 && (state.thread() & state.thread_mask) == thread; }

/* The logger while nobody listens: warnings and errors go where ggml prints them, and what continues them. */
void quiet(int level, const char *text, void *user_data) {
  if (level != CONT) state.last_level = level;
  if (state.last_level >= WARN) state.print(level, text, user_data);
}

/* The logger while somebody listens: keeps a copy for JavaScript. */
void capture(int level, const char *text, void *user_data) {
  if (state.ended) {
    quiet(level, text, user_data);
    return;
  }
  word length = 0;
  while (text[length] != 0) length++;
  struct message *message = state.allocate(sizeof *message + length + 1);
  if (message == 0) return;
  message->level = level;
  message->length = length;
  for (word i = 0; i <= length; i++) message->text[i] = text[i];
  struct message *head = __atomic_load_n(&state.head, __ATOMIC_RELAXED);
  do message->next = head;
  while (!__atomic_compare_exchange_n(&state.head, &head, message, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
  if (!state.awake && on(state.log_thread)) state.wake();
}

/* Takes the messages that wait, the oldest first. */
struct message *take(void) {
  struct message *message = __atomic_exchange_n(&state.head, 0, __ATOMIC_ACQUIRE), *taken = 0;
  while (message != 0) {
    struct message *next = message->next;
    message->next = taken;
    taken = message;
    message = next;
  }
  return taken;
}

void release(struct message *message) {
  while (message != 0) {
    struct message *next = message->next;
    state.free(message);
    message = next;
  }
}

/* Prints what waits, where JavaScript will not get to take it. */
static void print_waiting(void) {
  for (struct message *waiting = take(); waiting != 0; waiting = waiting->next) state.print(ERROR, waiting->text, 0);
}

/* The process exits, and may not have told JavaScript. */
void ended(void *unused) {
  state.ended = 1;
  state.log_thread = 0;
  state.abort_thread = 0;
  print_waiting();
}

/* ggml's abort callback. The texts that follow the message begin with the end of its line. */
void aborted(const char *message) {
  word here = on(state.abort_thread);
  if (!here) print_waiting(); /* it may say why */
  state.print(ERROR, message, 0);
  if (here) state.on_abort(message);
  else state.print(ERROR, state.elsewhere, 0);
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}

/* C++'s terminate handler: the previous one names the exception, then aborts. */
void terminated(void) {
  if (on(state.abort_thread)) state.on_terminate();
  else state.print(ERROR, state.elsewhere, 0);
  if (state.previous_terminate != 0) state.previous_terminate();
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}

/* The handler of SIGABRT: whatever else aborts. It may have been in the middle of anything, so no JavaScript. */
void signalled(int signal) {
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}
