/**
 * Memory of C's own for what C works on while JavaScript runs, or ends: contexts, plans, the scratch of asynchronous copies.
 *
 * An isolate that ends, by an uncaught error or because a Worker is terminated, frees its ArrayBuffers at once, and C would go on in what
 * was freed. This memory is `calloc`'s: it is freed when the ArrayBuffer over it is collected, or by {@linkcode CMemory.free}, and never by
 * the end of an isolate. Nor where that ArrayBuffer was transferred elsewhere by the time that its owner ended.
 *
 * V8 doesn't know how much lies behind such an ArrayBuffer. So another of the same size goes with it that nobody touches: it takes no
 * memory, and counts.
 *
 * @module
 */

import { at, windowsAddresses } from "./at.ts";
import { host } from "./host.ts";
import { keptBy, wasShown } from "./shown.ts";

interface Functions {
  readonly calloc: (count: bigint, size: bigint) => bigint;
  readonly free: (address: bigint) => void;
}

let functions: Functions | null = null;

function bind(): Functions {
  const { calloc, free } = Deno.build.os === "windows"
    ? windowsAddresses("ucrtbase.dll", ["calloc", "free"])
    : { calloc: host.address("calloc")!, free: host.address("free")! };
  return { calloc: at(calloc, ["usize", "usize"], "u64"), free: at(free, ["u64"], "void") };
}

/** One piece of C's memory. */
interface Block {
  readonly address: bigint;
  readonly buffer: ArrayBuffer;
}

/** What counts for V8, by the buffer that it goes with. */
const weights = new WeakMap<ArrayBuffer, ArrayBuffer>();

/** True for a buffer over such memory. */
export function isOfC(buffer: ArrayBuffer): boolean {
  return weights.has(buffer);
}

/** Memory whose owner was collected. */
const unowned = new FinalizationRegistry<Block>(release);

/** Memory that nobody has an array over any more, either. */
const unreachable = new FinalizationRegistry<bigint>((address) => functions!.free(address));

/** Gives memory back: at once where nobody else has it, else when nobody has it any more, and not if it was transferred elsewhere. */
function release({ address, buffer }: Block): void {
  if (buffer.detached) return;
  if (wasShown(buffer)) {
    unreachable.register(buffer, address, buffer);
    return;
  }
  buffer.transfer();
  weights.get(buffer)?.transfer(0);
  functions!.free(address);
}

function allocate(byteLength: number): Block {
  functions ??= bind();
  const weight = new ArrayBuffer(byteLength), address = functions.calloc(1n, BigInt(byteLength));
  if (address === 0n) throw new RangeError(`no memory for ${byteLength} bytes`);
  const buffer = Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength);
  weights.set(buffer, weight);
  keptBy(buffer, { stay: () => void unreachable.unregister(buffer) });
  return { address, buffer };
}

/** Zeroed memory that begins at a multiple of 16 bytes. Whoever has this object has the memory. */
export class CMemory {
  readonly #block: Block;

  /** @throws {RangeError} If there isn't so much. */
  constructor(byteLength: number) {
    this.#block = allocate(byteLength);
    unowned.register(this, this.#block, this);
  }

  /** The memory. */
  get buffer(): ArrayBuffer {
    return this.#block.buffer;
  }

  /** Gives it back, once. */
  free(): void {
    if (unowned.unregister(this)) release(this.#block);
  }
}

/** Less isn't worth it, and takes memory itself; more might not be had. */
const LEAST_WEIGHT = 1 << 17, MOST_WEIGHT = 2 ** 31;

/** What has V8 know of memory that C has for an object, while the object holds it; null for little. */
export function weigh(byteLength: number): { free(): void } | null {
  if (!(byteLength >= LEAST_WEIGHT)) return null;
  try {
    const weight = new ArrayBuffer(Math.min(byteLength, MOST_WEIGHT));
    return { free: () => void weight.transfer(0) };
  } catch {
    return null; // there is no room for it to seem to take
  }
}

/** Bytes of such memory, freed when nobody has them any more. Nobody outside is given them. */
export function cBytes(byteLength: number): Uint8Array<ArrayBuffer> {
  if (byteLength === 0) return new Uint8Array(0);
  const { address, buffer } = allocate(byteLength);
  unreachable.register(buffer, address);
  return new Uint8Array(buffer);
}
