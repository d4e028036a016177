/**
 * Checks written by hand: what C neither checks nor survives, as an Error before the call.
 *
 * Each function has the name of the C function that it stands before; `#pragma check` in `lexer/ggml/api.h` has the generated function call it, after
 * its arguments were found to have the right types. What C asserts isn't here: the trap makes an Error of that (`../../native/trap.ts`).
 *
 * By then the arguments are converted, too, and strings lie where the next conversion puts another: so no check of a function with strings calls one
 * that takes some.
 *
 * All are methods, which are compiled when they are first called: these modules are loaded by every program, and should cost it nothing more.
 *
 * @module
 */

import { buffers } from "./buffers.ts";
import { computing } from "./computing.ts";
import { contexts } from "./contexts.ts";
import { datasets } from "./datasets.ts";
import { elements } from "./elements.ts";
import { gguf } from "./gguf.ts";
import { idle } from "./idle.ts";
import { llama } from "./llama.ts";
import { optimizers } from "./optimizers.ts";
import { rows } from "./rows.ts";
import { scheduling } from "./scheduling.ts";
import { shapes } from "./shapes.ts";
import { unplaced } from "./unplaced.ts";

/** The checks, by the C function that they stand before. */
export const checks = {
  ...contexts,
  ...shapes,
  ...elements,
  ...rows,
  ...scheduling,
  ...idle,
  ...buffers,
  ...unplaced,
  ...computing,
  ...datasets,
  ...optimizers,
  ...gguf,
  ...llama,
};
