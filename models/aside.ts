/**
 * Functions of libllama that take long, called on another thread: the event loop goes on meanwhile.
 *
 * What they use can be neither freed nor collected until they are done.
 *
 * @module
 */

import { use } from "../ffi/in_use.ts";
import { lib } from "../ffi/lib.js";
import { expectLlama, library } from "../ffi/library.ts";
import { ABI } from "../ffi/layouts.js";
import { created } from "../ffi/runtime.ts";
import { askClaimers, claimers, type Trap } from "../ffi/trap.ts";

type Symbol = (...args: (bigint | Uint8Array)[]) => Promise<number | bigint>;

const symbols: Map<string, Symbol> = new Map();

/** Binds a function that is called on another thread. */
function bind(name: string, parameters: readonly unknown[], result: "i32" | "u64"): Symbol {
  expectLlama(ABI);
  const known = symbols.get(name);
  if (known !== undefined) return known;
  const symbol = library().symbol(name, { parameters, result, nonblocking: true } as never) as unknown as Symbol;
  symbols.set(name, symbol);
  return symbol;
}

/** Those who wait for a call. */
const waiting: Set<(error: Error) => void> = new Set();

/**
 * Gives what C failed of on another thread to whoever waits: to all, if several do, since none of them knows whose it was. What a node's kernel
 * fails of may be an asynchronous computation's, and libllama says itself that its own failed.
 */
claimers.add(({ node }: Trap, error: () => Error): boolean => {
  if (waiting.size === 0 || (node !== null && claimers.size > 1)) return false;
  for (const fail of waiting) fail(error());
  return true;
});

/** Calls one. What C fails of becomes an Error. */
async function call(where: string, symbol: Symbol, ...args: (bigint | Uint8Array)[]): Promise<number | bigint> {
  let failure: Error | null = null;
  const fail = (error: Error) => failure ??= new Error(error.message.replace(/^\w+: /, `${where}: `));
  waiting.add(fail);
  try {
    const result = await symbol(...args);
    askClaimers();
    if (failure !== null) throw failure;
    return result;
  } finally {
    waiting.delete(fail);
  }
}

/** The bytes of a struct that is passed by value. */
function bytesOf(struct: unknown): Uint8Array {
  return (struct as { bytes: Uint8Array }).bytes;
}

/**
 * `llama_decode`, or where a model has no memory of what went before, `llama_encode`.
 *
 * @param where Who asks, for errors.
 * @returns What C says: 0 for success, 1 for a cache without room, 2 for stopped, less for a failure.
 */
export async function decode(where: string, ctx: lib.llama_context, batch: lib.llama_batch): Promise<number> {
  const name = lib.llama_get_memory(ctx) === null ? "llama_encode" : "llama_decode";
  const symbol = bind(name, ["u64", { struct: lib.llama_batch.native }], "i32");
  ctx.owner.endPassing(`replaced by ${name}`);
  const release = use(where, null, [ctx, batch]);
  try {
    return await call(where, symbol, ctx.address, bytesOf(batch)) as number;
  } finally {
    release();
  }
}

/** `llama_model_load_from_file`. Null where the log says why. */
export async function loadFromFile(path: string, params: lib.llama_model_params): Promise<lib.llama_model | null> {
  const symbol = bind("llama_model_load_from_file", ["buffer", { struct: lib.llama_model_params.native }], "u64");
  const release = use("loadModel", null, [params]);
  try {
    const address = await call("loadModel", symbol, new TextEncoder().encode(`${path}\0`), bytesOf(params)) as bigint;
    return address === 0n ? null : created(lib.llama_model, address, [], [params]);
  } finally {
    release();
  }
}
