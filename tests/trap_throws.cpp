// C++ that fails, for trap_harness.c: built as a library whose name has ggml in it.
#include <stdexcept>
#include <vector>

namespace {
int destroyed = 0;
struct Counted {
  ~Counted() { destroyed++; }
};
struct Careless {
  ~Careless() noexcept(false) { throw std::runtime_error("in a destructor"); }
};
}

extern "C" {
int test_destroyed() { return destroyed; }
int test_throws(long n) {
  Counted counted;
  return std::vector<int>(3).at(n);
}
int test_noexcept(long) noexcept { throw std::runtime_error("where none may"); }
int test_aborts(void (*abort)(const char *, int, const char *, ...)) {
  Counted counted;
  abort("some.cpp", 1, "failed");
  return 1;
}
int test_destructor(void (*abort)(const char *, int, const char *, ...)) {
  Careless careless;
  abort("some.cpp", 1, "first");
  return 1;
}
int test_swallows(void (*abort)(const char *, int, const char *, ...)) {
  Counted counted;
  try {
    abort("some.cpp", 1, "swallowed");
  } catch (...) {
  }
  return 5;
}
__attribute__((optimize("O2"))) int test_jumps(int (*function)()) { return function(); } // it has no frame when it is there
int test_caught() {
  try {
    return std::vector<int>(3).at(7);
  } catch (const std::out_of_range &) {
    return 7;
  }
}
}
