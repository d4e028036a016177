/**
 * `init`: a ggml context that is freed when nothing uses it any more.
 *
 * @module
 */

import { CMemory } from "../ffi/core/c_memory.ts";
import { describe } from "../ffi/core/describe.ts";
import { onBehalf } from "../ffi/core/on_behalf.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { lib } from "../ffi/generated/lib.js";
import { addressOf } from "../ffi/core/handle.ts";

/** What {@linkcode init} takes. */
export interface InitOptions {
  /** The size of the context's memory in bytes. */
  memSize?: number;
  /**
   * The memory itself, instead of `memSize`: nothing else may write to it, or transfer it elsewhere, while the context lives. A later context over
   * it, or over a part, ends the use of this one.
   */
  memBuffer?: ArrayBuffer | Uint8Array<ArrayBuffer>;
  /** True to make tensors without data: a backend allocates it later. */
  noAlloc?: boolean;
}

/** The memory of a context unless its size is given: 16 MiB, as in ggml's own examples. */
const DEFAULT_SIZE = 16 * 1024 * 1024;

/**
 * Makes a ggml context.
 *
 * It is freed when neither it nor any tensor, graph or view from it can be reached any more, or at once at the end of a `using` block: its
 * memory, too, unless `view` was called for one of its tensors. Such views stay readable even then: they hold the memory itself. Don't transfer one
 * elsewhere after its context ended: copy it. Memory that nobody wrote takes no room.
 *
 * @param options `memSize` in bytes (16 MiB by default) or `memBuffer`; `noAlloc`. ggml's `struct ggml_init_params`.
 * @returns The context, for the functions of `lib` that take a `ggml_context`.
 * @throws {TypeError} If an option has the wrong type, or `memBuffer` is shared, resizable, or was transferred elsewhere.
 * @throws {RangeError} If the size is not a positive integer, there isn't that much memory, or `memBuffer` is empty or begins at no multiple of
 * 16 bytes.
 * @throws {Error} If a context works in `memBuffer` that something computes with now.
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
  const { memSize, memBuffer, noAlloc = false } = expectOptions("init", options, ["memSize", "memBuffer", "noAlloc"]);
  const own = memBuffer === undefined ? allocate(memSize) : null;
  const memory = own === null ? given({ memSize, memBuffer }) : new Uint8Array(own.buffer);
  if (typeof noAlloc !== "boolean") throw new TypeError(`init: noAlloc must be a boolean, got ${describe(noAlloc)}`);
  const base = addressOf(memory);
  const align = BigInt(lib.GGML_MEM_ALIGN);
  if (base % align !== 0n) {
    throw new RangeError(`init: memBuffer must begin at a multiple of ${align} bytes, and begins at 0x${base.toString(16)}`);
  }
  const params = new lib.ggml_init_params({ mem_size: memory.byteLength, mem_buffer: memory as never, no_alloc: noAlloc });
  const ctx = onBehalf("init", lib.ggml_init, params);
  ctx.owner.arena = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  ctx.owner.base = base;
  ctx.owner.memory = own;
  return ctx;
}

function given({ memSize, memBuffer }: InitOptions): Uint8Array<ArrayBuffer> {
  if (memSize !== undefined) throw new TypeError("init: give memSize or memBuffer, not both");
  expectFixed(memBuffer!);
  return memBuffer instanceof ArrayBuffer ? new Uint8Array(memBuffer) : memBuffer!;
}

function allocate(size: number = DEFAULT_SIZE): CMemory {
  if (typeof size !== "number") throw new TypeError(`init: memSize must be a number of bytes, got ${describe(size)}`);
  if (!Number.isInteger(size) || size <= 0) throw new RangeError(`init: memSize must be a positive whole number of bytes, got ${size}`);
  try {
    return new CMemory(size);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause; // the library can't be loaded, or may not be
    throw new RangeError(`init: no memory for memSize ${size}`, { cause });
  }
}

/** Throws unless this is memory that stays where it is for as long as C has its address. */
function expectFixed(memBuffer: ArrayBuffer | Uint8Array<ArrayBuffer>): void {
  const buffer = memBuffer instanceof Uint8Array ? memBuffer.buffer : memBuffer;
  if (!(buffer instanceof ArrayBuffer)) {
    const got = buffer === memBuffer ? describe(memBuffer) : `${describe(memBuffer)} in shared memory`;
    throw new TypeError(`init: memBuffer must be an ArrayBuffer or a Uint8Array of one, got ${got}`);
  }
  if (buffer.detached) throw new TypeError("init: memBuffer was transferred elsewhere");
  if (buffer.resizable) throw new TypeError("init: memBuffer must not be resizable: C would go on writing where it was");
  if (memBuffer.byteLength === 0) throw new RangeError("init: memBuffer is empty");
}
