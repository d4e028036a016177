/**
 * Fuzzing of schedulers and allocators: calls `ggml_backend_sched_*`, `ggml_gallocr_*` and `ggml_tallocr_*` with graphs, buffers and backends in any
 * state and order, in child processes, and says which calls ended one. See `worlds.ts`.
 *
 *     deno task fuzz:sched [COUNT [SEED [FUNCTION…]]]
 *
 * @module
 */

import { main } from "./run_world.ts";

if (import.meta.main) await main("sched");
