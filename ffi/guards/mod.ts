/**
 * Guards written by hand: what the parts of ggml that are C++ would answer by `abort()`, a crash or a division by zero, as an Error before the
 * call.
 *
 * Each function has the name of the C function that it guards; `#pragma guard` in `lexer/api.h` has the generated function call it, after
 * its arguments were found to have the right types. What depends on no more than the arguments' values is checked in full. What C keeps to
 * itself (whether a scheduler holds a graph, how many leafs a graph has) is read from C's own structs by `peek`, and only where what can also
 * be asked for is found in its place: with a library that lays them out otherwise such a check is left out.
 *
 * All are methods, which are compiled when they are first called: these modules are loaded by every program, and should cost it nothing more.
 *
 * Not here: what is translated from ggml.c (`../guards.js`), and what a kernel asserts of what it computes (`../guard_compute.ts`).
 *
 * @module
 */

import { backends } from "./backends.ts";
import { buffers } from "./buffers.ts";
import { contexts } from "./contexts.ts";
import { gguf } from "./gguf.ts";
import { optimizer } from "./optimizer.ts";
import { schedulers } from "./schedulers.ts";

/** The guards, by the C function that they guard. */
export const byHand = { ...contexts, ...buffers, ...schedulers, ...backends, ...gguf, ...optimizer };
