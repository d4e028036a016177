/**
 * What objects weigh that have memory of C's own: V8 doesn't see it, and would let hundreds of them lie about until it has another reason to collect.
 *
 * Contexts that were given no memory, and backends' buffers. What an allocator or a scheduler takes changes with its graphs, and a model's weights are
 * mostly a file's: these are not known here.
 *
 * @module
 */

import { library } from "../load/library.ts";
import { weighers } from "../core/roots.ts";

const SIZE = { parameters: ["u64"], result: "usize" } as const;

let sizeOfBuffer: ((buffer: bigint) => bigint) | null = null;

weighers.set("ggml_context", (_address, [params]) => {
  const { mem_buffer, mem_size } = (params ?? {}) as { mem_buffer?: unknown; mem_size?: number };
  return mem_buffer === null ? mem_size! : 0;
});

weighers.set("ggml_backend_buffer", (address, keeps) => {
  if (keeps.some((value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) return 0; // it is JavaScript's
  sizeOfBuffer ??= library().symbol("ggml_backend_buffer_get_size", SIZE) as unknown as (buffer: bigint) => bigint;
  return Number(sizeOfBuffer(address));
});
