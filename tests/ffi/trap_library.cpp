/*
 * Stands beside ggml's libraries, for trap_harness.c: C++ that fails on request, and counts which destructors were run.
 *
 * For Windows it includes no header, so that clang can compile it as MSVC would where there is no MSVC.
 */
#undef NDEBUG
#ifdef _WIN32
#define EXPORT extern "C" __declspec(dllexport)
extern "C" const void *const type_table __asm__("??_7type_info@@6B@");
extern "C" const void *const type_table = 0; /* types are compared by their names */
extern "C" const int _fltused = 0;
void operator delete(void *) noexcept {}
namespace std {
class exception {
 public:
  virtual ~exception() {}
  virtual const char *what() const noexcept { return "unknown"; }
};
}  // namespace std
#else
#define EXPORT extern "C"
#include <cassert>
#include <cstdlib>
#include <exception>
#endif

static int destroyed;
static volatile int zero;

namespace sample {
struct failure : std::exception {
  const char *what() const noexcept override { return "it says why"; }
};
}  // namespace sample

struct counted {
  ~counted() { __atomic_fetch_add(&destroyed, 1, __ATOMIC_SEQ_CST); }
};

/* How many destructors ran since it was asked last. */
EXPORT int take_destroyed() { return __atomic_exchange_n(&destroyed, 0, __ATOMIC_SEQ_CST); }

/* Calls a function, in a scope with something to destroy. */
EXPORT long long within(long long (*function)(void *, void *), void *a, void *b) {
  counted here;
  return function(a, b) + 1;
}

enum { THROW, THROW_NUMBER, USE_NULL, DIVIDE, RECUR, ABORT, ASSERT };

static int recur(int depth) {
  volatile char frame[512];
  frame[0] = (char)depth;
  if (depth == -1) throw 42; /* never, but no compiler may think that nothing can be thrown */
  return recur(depth + 1) + frame[0];
}

/* Fails as it is asked to. */
EXPORT __attribute__((noinline)) long long fail(long long how) {
  counted here;
  switch (how) {
    case THROW: throw sample::failure();
    case THROW_NUMBER: throw 42;
    case USE_NULL: *(volatile int *)(zero + 0ll) = 1; break;
    case DIVIDE: return how / zero;
    case RECUR: return recur(0);
#ifndef _WIN32
    case ABORT: abort();
    case ASSERT: assert(how != ASSERT);
#endif
  }
  return -1;
}

/* Catches what it throws, twice. */
EXPORT long long catches(long long value) {
  try {
    counted outer;
    try {
      counted inner;
      if (value > 0) throw sample::failure();
    } catch (const std::exception &) {
      counted in_catch;
      throw;
    }
  } catch (const sample::failure &) {
    return value + 1;
  }
  return 0;
}

/* A callback that fails, called by C++ that catches what it throws itself. */
EXPORT long long catches_around(long long (*function)(void *, void *), void *a, void *b) {
  try {
    return within(function, a, b);
  } catch (const sample::failure &) {
    return 77;
  }
}

/* The same, by C++ that catches whatever there is. */
EXPORT long long catches_all(long long (*function)(void *, void *), void *a, void *b) {
  try {
    return within(function, a, b);
  } catch (...) {
    return 77;
  }
}

/* Throws where nothing may be thrown. */
EXPORT long long never_throws(long long how) noexcept { return fail(how); }

/* Throws while an exception is caught. */
EXPORT long long throws_in_catch(long long how) {
  try {
    fail(THROW_NUMBER);
  } catch (int) {
    counted in_catch;
    return fail(how);
  }
  return 0;
}

/* Throws on what it caught. */
EXPORT long long throws_on(long long how) {
  try {
    return fail(how);
  } catch (...) {
    counted in_catch;
    throw;
  }
}

struct fails_in_destructor {
  ~fails_in_destructor() noexcept(false) { fail(THROW); }
};

/* A destructor fails, too. */
EXPORT long long fails_twice(long long (*function)(void *, void *), void *a, void *b) {
  fails_in_destructor here;
  return function(a, b);
}

/* A kernel of one's own. */
EXPORT void kernel(void *, void *, int, int, void *how) { fail((long long)how); }

/* Jumps to what it calls last: it has no frame any more when that is a null pointer. */
#ifdef __clang__
EXPORT long long jumps(void *function) { __attribute__((musttail)) return ((long long (*)(void *))function)(0); }
#else
EXPORT __attribute__((optimize("O2"))) long long jumps(void *function) { return ((long long (*)(void *))function)(0); }
#endif

/* Uses memory. */
EXPORT long long reads(const volatile char *memory) { return *memory; }
EXPORT long long writes(volatile char *memory) { return *memory = 1; }

#ifndef _WIN32
/* Gives back what was never allocated. */
EXPORT void frees(char *memory) { free(memory); }
#endif

/* What a thread runs. */
EXPORT void *start(void *how) {
  fail((long long)how);
  return (void *)1;
}
