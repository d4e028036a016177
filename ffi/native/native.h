/*
 * What native.c, trap.c and gate.c share: the words that they and JavaScript know of each other.
 *
 * Nothing here may need a relocation: everything that is called is a pointer in `state`, which lies at a fixed distance from the code.
 */

typedef unsigned long long word;

/* A message that waits for JavaScript. */
struct message {
  struct message *next; /* the one that came before it */
  word level;
  word length;
  char text[]; /* and a NUL */
};

/* What a call has C log, where somebody wants to know: warnings and errors, and what continues them. They are not printed then. */
struct hearing {
  word on; /* 1 while they are kept */
  struct message *first; /* the newest first */
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
  const char *report;           /* what to print before the process exits of an abort; 0: leave it to C */
  word ended;                   /* 1 while the process exits: no JavaScript runs any more */
  word registered, listener;    /* JavaScript's own */
  word trap[256];               /* trap.c's own */
  word unheard;                 /* 1 once the thread that listened has ended */
  word gone_key;                /* JavaScript's own */
  struct gate *free_gates;      /* gate.c's own, and what follows */
  struct block *blocks;
  word gate_lock;
  word left_key;                /* JavaScript's own */
  int (*flush)(void *stream);   /* the C library's fflush */
  int (*on_exit)(void (*function)(int status, void *argument), void *argument); /* the C library's; 0 where it has none */
};
extern struct state state __attribute__((visibility("hidden")));

enum level { NONE, DEBUG, INFO, WARN, ERROR, CONT };
enum { CAPTURED = 0x100 /* beside the level of what a call keeps: a listener has it, too */ };

/* The call that runs on this thread, one that Deno lends; 0 if it isn't known. */
struct call;
struct call *call_here(void) __attribute__((visibility("hidden")));

/* What is heard of the call that runs on this thread; 0 if nobody asked. */
struct hearing *hearing_here(void) __attribute__((visibility("hidden")));

/* The thread that runs. */
static inline word this_thread(void) { return state.thread() & state.thread_mask; }

/* Prints the messages that wait, where JavaScript will not get to take them. */
void print_waiting(void) __attribute__((visibility("hidden")));

/* The process exits: no JavaScript runs any more. */
void ended(void *unused) __attribute__((visibility("hidden")));
