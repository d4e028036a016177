/**
 * Fuzzing of training: calls `ggml_opt_*` with data sets, optimizers and results in any state and order, in child processes, and says which calls ended
 * one. See `worlds.ts`.
 *
 *     deno task fuzz:train [COUNT [SEED [FUNCTION…]]]
 *
 * @module
 */

import { main } from "./run_world.ts";

if (import.meta.main) await main("train");
