/**
 * `own` and `borrow`: who frees what.
 *
 * What a function of `lib` made is freed with its handle already. These are for pointers from elsewhere, and for giving objects away.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { Handle } from "../ffi/core/handle.ts";
import { Pointer } from "../ffi/core/pointer.ts";
import { letGo, takeOver } from "../ffi/core/roots.ts";

/**
 * Puts an object under the rule of those that `lib` made: it is freed at the end of a `using` block, by C's function for it, or when nobody
 * can reach it any more.
 *
 * @param handle A handle of the object, such as `lib.ggml_context.from(address)`. Handles of the same object that are made later share its fate.
 * @param free Frees the object at an address. By default the function of `lib` that frees such a thing; a `Pointer` has none, and needs this.
 * It must not hold on to the handle, or that is never collected.
 * @returns The same handle.
 * @throws {TypeError} If it is no handle of what C frees by a function of its own, and no `free` is given.
 * @throws {Error} If it was freed, or belongs to another object, which frees it.
 *
 * @example
 * ```ts
 * import { lib, load } from "@ggml/deno";
 * import { own } from "@ggml/deno/utils";
 *
 * const { symbols } = Deno.dlopen(load().files[0], { ggml_init: { parameters: [{ struct: ["usize", "pointer", "bool"] }], result: "pointer" } });
 * const params = new lib.ggml_init_params({ mem_size: 4096 });
 * using ctx = own(lib.ggml_context.from(symbols.ggml_init(params.bytes))!);
 * console.log(lib.ggml_get_mem_size(ctx)); // 4096
 * ```
 */
export function own<H extends Handle>(handle: H, free?: (address: bigint) => void): H {
  if (!(handle instanceof Handle)) throw new TypeError(`own: expected a handle, got ${describe(handle)}`);
  if (free !== undefined && typeof free !== "function") throw new TypeError(`own: expected a function that frees, got ${describe(free)}`);
  if (free === undefined && (handle instanceof Pointer || !(Symbol.dispose in handle))) {
    throw new TypeError(`own: a ${handle.constructor.name} has no function that frees it: give one`);
  }
  takeOver(handle, free);
  return handle;
}

/**
 * Takes an object out of that rule: nothing frees it but you, by C's function for it. `[Symbol.dispose]()` does nothing; {@linkcode own} puts
 * it back.
 *
 * The memory of a context that `init` made is not C's to free: it lives as long as a handle of the context, or a view of one of its tensors.
 *
 * @param handle A handle of the object.
 * @returns The same handle.
 * @throws {TypeError} If it is no handle.
 * @throws {Error} If it was freed.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { borrow } from "@ggml/deno/utils";
 *
 * const gguf = borrow(lib.gguf_init_empty());
 * console.log(gguf.address !== 0n); // true: whoever gets the address has to free it
 * lib.gguf_free(gguf);
 * ```
 */
export function borrow<H extends Handle>(handle: H): H {
  if (!(handle instanceof Handle)) throw new TypeError(`borrow: expected a handle, got ${describe(handle)}`);
  letGo(handle);
  return handle;
}
