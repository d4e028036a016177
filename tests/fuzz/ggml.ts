/**
 * Fuzzing of the rest of ggml: contexts, graphs, plans, threadpools, backends, buffers and GGUF files, their functions called in any order, in child
 * processes. See `ggml_world.ts`.
 *
 *     deno task fuzz:ggml [COUNT [SEED [FUNCTION…]]]
 *
 * @module
 */

import { main } from "./run_world.ts";

if (import.meta.main) await main("ggml");
