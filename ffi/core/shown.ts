/**
 * Arrays over C's memory that somebody outside was given.
 *
 * Such an array may be transferred elsewhere (`postMessage`, `structuredClone`): whoever has the memory then goes on using it, so it must stay.
 * Nothing tells of a transfer, but that the ArrayBuffer is detached from then on. So the buffer is held for as long as such an array lives,
 * and looked at when the last is gone. It isn't noticed of a buffer that somebody kept without one.
 *
 * @module
 */

/** Who frees memory. */
export interface Keeper {
  /** Has the memory never be freed. */
  stay(): void;
}

const keepers = new WeakMap<ArrayBufferLike, Keeper>();

/** What lives as long as any of the arrays over a buffer. */
type Sign = Record<never, never>;

const signs = new WeakMap<ArrayBufferView, Sign>();
const latest = new WeakMap<ArrayBufferLike, WeakRef<Sign>>();

const gone = new FinalizationRegistry<ArrayBuffer>((buffer) => {
  if (buffer.detached) keepers.get(buffer)!.stay();
});

/** Says who frees the memory under a buffer. That is kept alive by the buffer. */
export function keptBy(buffer: ArrayBuffer, keeper: Keeper): void {
  keepers.set(buffer, keeper);
}

/** Who frees the memory under a buffer; undefined where that is JavaScript's. */
export function keeperOf(buffer: ArrayBufferLike): Keeper | undefined {
  return keepers.get(buffer);
}

/** Gives somebody outside an array. */
export function show<A extends ArrayBufferView>(array: A): A {
  const buffer = array.buffer as ArrayBuffer;
  if (!keepers.has(buffer)) return array; // it is JavaScript's memory
  let sign = latest.get(buffer)?.deref();
  if (sign === undefined) {
    sign = {};
    latest.set(buffer, new WeakRef(sign));
    gone.register(sign, buffer);
  }
  signs.set(array, sign);
  return array;
}

/** True if somebody outside was given an array over a buffer: he may have one still. */
export function wasShown(buffer: ArrayBuffer): boolean {
  return latest.has(buffer);
}
