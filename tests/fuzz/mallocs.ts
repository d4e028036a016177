/**
 * Memory of AddressSanitizer's own: what is allocated here lies between zones in which each read and write is reported.
 *
 * It is there where a program runs over the build of `tests/stress/asan.ts`.
 *
 * @module
 */

const runtime = Deno.env.get("ASAN_RUNTIME") ?? null;

/** True in a program over a ggml with AddressSanitizer. */
export const hasSanitizer: boolean = runtime !== null;

const symbols = runtime === null ? null : Deno.dlopen(runtime, {
  malloc: { parameters: ["usize"], result: "u64" },
  free: { parameters: ["u64"], result: "void" },
}).symbols;

const MOST = 2 ** 26;
const taken: bigint[] = [];

/** Memory of exactly so many bytes, until {@linkcode freeAll}. */
export function malloc(bytes: number): bigint {
  if (bytes > MOST) throw new Error(`${bytes} bytes are more than are of use here`);
  const address = symbols!.malloc(BigInt(bytes));
  taken.push(address);
  return address;
}

/** Frees it all. What uses it then is reported, too. */
export function freeAll(): void {
  for (const address of taken) symbols!.free(address);
  taken.length = 0;
}
