/**
 * What objects weigh that have memory of C's own: V8 doesn't see it, and would let hundreds of them lie about until it has another reason to collect.
 *
 * Contexts that were given no memory, and backends' buffers. What an allocator or a scheduler takes changes with its graphs, and a model's weights are
 * mostly a file's: these are not known here.
 *
 * @module
 */

import { callNow } from "./call_now.ts";
import { weighers } from "../core/roots.ts";

weighers.set("ggml_context", (_address, [params]) => {
  const { mem_buffer, mem_size } = (params ?? {}) as { mem_buffer?: unknown; mem_size?: number };
  return mem_buffer === null ? mem_size! : 0;
});

weighers.set("ggml_backend_buffer", (address, keeps) => {
  if (keeps.some((value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) return 0; // it is JavaScript's
  return Number(callNow("ggml_backend_buffer_get_size", ["u64"], "usize", address));
});
