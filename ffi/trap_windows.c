/* Windows has no trap yet: what aborts ends the process. */

#include "native.h"

/* ggml's abort callback: it aborts if this returns. */
void aborted(const char *message) {
  print_waiting();
  state.print(ERROR, message, 0);
  if (state.report == 0) return;
  state.print(ERROR, state.report, 0);
  state.exit(state.exit_first, state.exit_second);
}
