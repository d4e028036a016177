/*
 * The few functions that C may call at any time, from any thread, while JavaScript is blocked in a call of its own. TypeScript can't
 * write them: a JavaScript function called from another thread waits for the event loop, and deadlocks if that waits for the thread.
 *
 * This file is not compiled where it is used. Its machine code is in native_code.ts, for each calling convention, made by
 * `UPDATE=1 deno test -A tests/ffi/native_test.ts`; native.ts puts it into memory. So nothing here may need a relocation, a library or a
 * constant in memory: everything that is called is a pointer in `state`, which lies at a fixed distance from the code.
 */

#include "native.h"

static int on(word thread) { return thread != 0 && this_thread() == thread; }

/* Whether a terminal would obey the character there: a control character of ASCII or Latin-1, but for the ends of lines and tabs. */
static int is_command(const char *text) {
  unsigned char c = text[0], next = text[1];
  if (c == '\r') return next != '\n';
  if (c < ' ') return c != '\n' && c != '\t';
  return c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

/* Has ggml print a message, without what a terminal would obey: messages quote what files say. */
static void print(int level, const char *text, void *user_data) {
  word length = 0, commands = 0;
  for (; text[length] != 0; length++) commands += is_command(text + length);
  char *copy = commands == 0 ? 0 : state.allocate(length + 1);
  if (copy == 0) {
    state.print(level, text, user_data);
    return;
  }
  int pair = 0; /* the byte before was the first of two */
  for (word i = 0; i < length; i++) {
    int command = is_command(text + i);
    copy[i] = command || pair ? '?' : text[i];
    pair = command && (unsigned char)text[i] == 0xc2;
  }
  copy[length] = 0;
  state.print(level, copy, user_data);
  state.free(copy);
}

/* Puts a copy of a message before those of a list. */
static void put(struct message **list, word level, const char *text) {
  word length = 0;
  while (text[length] != 0) length++;
  struct message *message = state.allocate(sizeof *message + length + 1);
  if (message == 0) return;
  message->level = level;
  message->length = length;
  for (word i = 0; i <= length; i++) message->text[i] = text[i];
  struct message *head = __atomic_load_n(list, __ATOMIC_RELAXED);
  do message->next = head;
  while (!__atomic_compare_exchange_n(list, &head, message, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Whether a message is a warning or an error, or continues one. */
static int matters(int level) {
  if (level != CONT) state.last_level = level;
  return state.last_level >= WARN;
}

/* Keeps a message for whoever hears the call that logs it; 0 if nobody does. */
static int keep(word level, const char *text) {
  struct hearing *hearing = state.ended ? 0 : hearing_here();
  if (hearing == 0) return 0;
  put(&hearing->first, level, text);
  return 1;
}

/* The logger while nobody listens: warnings and errors go where ggml prints them, and what continues them. */
void quiet(int level, const char *text, void *user_data) {
  if (matters(level) && !keep(level, text)) print(level, text, user_data);
}

/* The logger while somebody listens: keeps a copy for JavaScript. */
void capture(int level, const char *text, void *user_data) {
  if (state.ended || state.unheard) {
    quiet(level, text, user_data);
    return;
  }
  put(&state.head, level, text);
  if (matters(level)) keep(level | CAPTURED, text);
  if (!state.awake && on(state.log_thread)) state.wake();
}

/* Takes the messages of a list, the oldest first: what a call keeps, or with null those that wait for the listener. */
struct message *take(struct message **list) {
  struct message *message = __atomic_exchange_n(list == 0 ? &state.head : list, 0, __ATOMIC_ACQUIRE), *taken = 0;
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
void print_waiting(void) {
  for (struct message *waiting = take(0); waiting != 0; waiting = waiting->next) print(ERROR, waiting->text, 0);
}

/* A thread ends that listened, a Worker's that wasn't told before: if nobody has listened since, nobody takes the messages any more. */
void gone(void *listener) {
  if (state.listener != (word)listener) return;
  state.unheard = 1;
  struct message *first = take(0);
  for (struct message *waiting = first; waiting != 0; waiting = waiting->next) quiet(waiting->level, waiting->text, 0);
  release(first);
}

/* The process exits, and may not have told JavaScript. */
void ended(void *unused) {
  state.ended = 1;
  state.log_thread = 0;
  print_waiting();
}

/* The handler of SIGABRT where there is no trap. It may have been in the middle of anything, so no JavaScript. */
void signalled(int signal) {
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}
