/**
 * Fuzzing of libllama: calls `llama_*` with a tiny model's contexts, batches, samplers and states in any order, in child processes, and says which calls
 * ended one. See `worlds.ts`.
 *
 *     deno task fuzz:llama [COUNT [SEED [FUNCTION…]]]
 *
 * @module
 */

import { main } from "./run_world.ts";

if (import.meta.main) await main("llama");
