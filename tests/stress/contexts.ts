/**
 * Makes and drops 10,000 contexts in a loop that lets the event loop turn, and says how much memory was resident at most.
 *
 *     deno run -A --v8-flags=--expose-gc tests/stress/contexts.ts [COUNT]
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";

const MEMORY = 256 * 1024;

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 10_000);
  const before = Deno.memoryUsage().rss;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const ctx = init({ memSize: MEMORY });
    const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, MEMORY - 1024);
    lib.ggml_set_i32(tensor, 1); // every page is in use
    if (i % 20 !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve));
    most = Math.max(most, Deno.memoryUsage().rss - before);
  }
  console.log(JSON.stringify({ contexts: count, megabytes: count * MEMORY / 2 ** 20, most: Math.round(most / 2 ** 20) }));
}
