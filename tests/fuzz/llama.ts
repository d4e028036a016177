/**
 * Fuzzing of libllama: calls `llama_*` with a tiny model's contexts, batches, samplers and states in any order, in child processes, and says which calls
 * ended one. See `worlds.ts`.
 *
 *     deno task fuzz:llama [COUNT [SEED [FUNCTION…]]]
 *     deno task fuzz:llama --files [COUNT [SEED]]
 *
 * With --files, COUNT mutants of the model's file (4,000 by default) are loaded and computed with.
 *
 * @module
 */

import { main } from "./run_world.ts";

if (import.meta.main) {
  const usage = "fuzz:llama [COUNT [SEED [FUNCTION…]]] | --files [COUNT [SEED]]";
  if (Deno.args[0] === "--files") await main("files", usage, Deno.args.slice(1), 4000);
  else await main("llama", usage);
}
