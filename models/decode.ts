/**
 * `llama_decode` and `llama_encode` on another thread, as `lib.async` has them, for who calls them some hundred times a second.
 *
 * `lib.async` checks what it is given, lends the context to the call, and makes what a signal stops it by: 0.6 ms of this thread for each token that a
 * small model takes 12 ms for. Here the batch is right as it is made, nobody else has the context, and it is stopped by a flag that is set once: 0.3 ms.
 *
 * @module
 */

import { Aside } from "../ffi/calls/aside.ts";
import { spoilChanged } from "../ffi/calls/half_done.ts";
import { use } from "../ffi/core/in_use.ts";
import { lib } from "../ffi/generated/lib.js";
import { library } from "../ffi/load/library.ts";
import { askClaimers, type Claimer, claimers, errorOf, type Trap } from "../ffi/native/trap.ts";

/** `llama_decode` or `llama_encode`, bound. */
interface Bound {
  readonly aside: Aside;
  readonly address: bigint;
}

const bounds: Map<string, Bound> = new Map();

function bind(name: string): Bound {
  let bound = bounds.get(name);
  if (bound !== undefined) return bound;
  const pointer = library().symbol(name, { type: "pointer" } as never) as unknown as Deno.PointerObject;
  bound = { aside: new Aside(["u64", { struct: lib.llama_batch.native }], "i32"), address: BigInt(Deno.UnsafePointer.value(pointer)) };
  bounds.set(name, bound);
  return bound;
}

/**
 * Decodes a batch, or encodes it where the model remembers nothing.
 *
 * Neither the context nor the batch can be freed until that is done.
 *
 * @param by Who asks, for the error of whoever frees them.
 * @param pool The threads that compute beside the one that is called on; null where there are none.
 * @returns What C says: 0 for success, 1 for a memory without room, 2 for stopped, less for a failure.
 * @throws {Error} What C failed of, as a rejection. The context can't be used any more then, unless C had only looked at the batch.
 */
export async function decode(
  by: string,
  ctx: lib.llama_context,
  pool: lib.ggml_threadpool | null,
  batch: lib.llama_batch,
  remembers: boolean,
): Promise<number> {
  const name = remembers ? "llama_decode" : "llama_encode", { aside, address } = bind(name);
  ctx.owner.endPassing(`replaced by ${name}`);
  let trap: Trap | null = null;
  const claimer: Claimer = {
    owns: (other) => pool === null ? false : other.pool === 0n ? null : other.pool === pool.address,
    take: (other) => void (trap ??= other),
  };
  const release = use(by, null, [ctx, batch]);
  claimers.add(claimer);
  try {
    const call = aside.call(address, [ctx.address, batch.bytes]), status = await call.result as number;
    askClaimers();
    trap = call.trap ?? trap;
    if (trap === null) return status;
    const error = errorOf(name, trap, {});
    spoilChanged(library(), name, { ctx }, error, trap);
    throw error;
  } finally {
    claimers.delete(claimer);
    release();
  }
}
