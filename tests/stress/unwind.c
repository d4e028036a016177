/*
 * Goes into the ggml with AddressSanitizer: before the trap unwinds a stack, the sanitizer forgets the zones around its variables.
 *
 * It does so itself for C++ exceptions and for functions that don't return, but doesn't know of this function. Whoever used the stack next would
 * be reported.
 */

#define _GNU_SOURCE
#include <dlfcn.h>

void __asan_handle_no_return(void);

int _Unwind_ForcedUnwind(void *exception, void *stop, void *argument) {
  int (*next)(void *, void *, void *) = (int (*)(void *, void *, void *))dlsym(RTLD_NEXT, "_Unwind_ForcedUnwind");
  __asan_handle_no_return();
  return next(exception, stop, argument);
}
