/**
 * `init`: a ggml context that is freed when nothing uses it any more.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import { addressOf } from "../ffi/handle.ts";

/** What {@linkcode init} takes. */
export interface InitOptions {
  /** The size of the context's memory in bytes. */
  memSize?: number;
  /** The memory itself, instead of `memSize`: nothing else may write to it while the context lives. */
  memBuffer?: ArrayBuffer | Uint8Array<ArrayBuffer>;
  /** True to make tensors without data: a backend allocates it later. */
  noAlloc?: boolean;
}

/** The memory of a context unless its size is given: 16 MiB, as in ggml's own examples. */
const DEFAULT_SIZE = 16 * 1024 * 1024;

/**
 * Makes a ggml context whose memory is a JavaScript `ArrayBuffer`.
 *
 * It is freed when neither it nor any tensor, graph or view from it can be reached any more, or at once at the end of a `using` block. Views
 * made by `view` stay readable even then: they hold the memory itself.
 *
 * @param options `memSize` in bytes (16 MiB by default) or `memBuffer`; `noAlloc`. ggml's `struct ggml_init_params`.
 * @returns The context, for the functions of `lib` that take a `ggml_context`.
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If the size is not a positive integer, or there isn't that much memory.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init } from "@ggml/deno/utils";
 *
 * using ctx = init({ memSize: 1024 * 1024 });
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 3, 2);
 * console.log(a.ne); // [ 3, 2, 1, 1 ]
 * ```
 */
export function init(options: InitOptions = {}): lib.ggml_context {
  if (typeof options !== "object" || options === null) throw new TypeError(`init: expected { memSize }, got ${Deno.inspect(options)}`);
  const memory = memoryFor(options);
  const { noAlloc = false } = options;
  const base = addressOf(memory);
  const align = BigInt(lib.GGML_MEM_ALIGN);
  if (base % align !== 0n) {
    throw new RangeError(`init: memBuffer must begin at a multiple of ${align} bytes, and begins at 0x${base.toString(16)}`);
  }
  const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: memory.byteLength, mem_buffer: memory as never, no_alloc: noAlloc }));
  ctx.owner.arena = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  ctx.owner.base = base;
  return ctx;
}

function memoryFor({ memSize, memBuffer }: InitOptions): Uint8Array<ArrayBuffer> {
  if (memBuffer !== undefined) {
    if (memSize !== undefined) throw new TypeError("init: give memSize or memBuffer, not both");
    if (memBuffer instanceof ArrayBuffer) return new Uint8Array(memBuffer);
    if (memBuffer instanceof Uint8Array) return memBuffer;
    throw new TypeError(`init: memBuffer must be an ArrayBuffer or a Uint8Array, got ${Deno.inspect(memBuffer)}`);
  }
  const size = memSize ?? DEFAULT_SIZE;
  if (typeof size !== "number") throw new TypeError(`init: memSize must be a number of bytes, got ${Deno.inspect(size)}`);
  if (!Number.isSafeInteger(size) || size <= 0) throw new RangeError(`init: memSize must be a positive whole number of bytes, got ${size}`);
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new RangeError(`init: no memory for memSize ${size}`, { cause });
  }
}
