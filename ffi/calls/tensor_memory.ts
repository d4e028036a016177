/**
 * Tensors' own memory, read without a handle each: for checks, which look at every tensor of a graph.
 *
 * Most tensors lie in the arenas of a few contexts. Addresses are numbers here: none has more than 53 bits, and bigints would take most of the
 * time.
 *
 * @module
 */

import { ABI } from "../generated/layouts.js";
import type { Owner } from "../core/owner.ts";

/** 2^32: what the upper half of an address is worth. */
export const WORD = 4294967296;

/** GGML_MAX_SRC. */
export const MAX_SOURCES = 10;

const { fields, size: TENSOR_SIZE } = ABI.records.ggml_tensor;

/** The memory of the tensors that an owner's tensors are made of. */
export class TensorMemory {
  readonly #arenas: { readonly base: number; readonly words: Uint32Array }[];
  /** The memory of the tensor that was found last, in numbers of 32 bits. */
  words: Uint32Array = new Uint32Array(0);
  /** Where the tensor begins in it. */
  at = 0;

  /** @param owner Of a graph: it keeps the contexts of what the graph is made of. */
  constructor(owner: Owner) {
    this.#arenas = [owner, ...owner.keptOwners].flatMap(({ arena, base }) =>
      arena === null || arena.byteOffset % 4 !== 0 ? [] : [{
        base: Number(base),
        words: new Uint32Array(arena.buffer as ArrayBuffer, arena.byteOffset, Math.floor(arena.byteLength / 4)),
      }]
    );
  }

  /** Where the arena ends that an address lies in; Infinity for memory that nobody knows. */
  endOf(address: number): number {
    const arena = this.#arenas.find(({ base, words }) => address >= base && address < base + 4 * words.length);
    return arena === undefined ? Infinity : arena.base + 4 * arena.words.length;
  }

  /** Sets `words` and `at` to the tensor at an address. */
  find(address: number): void {
    for (const { base, words } of this.#arenas) {
      const at = (address - base) / 4;
      if (at < 0 || at + TENSOR_SIZE / 4 > words.length) continue;
      this.words = words;
      this.at = at;
      return;
    }
    this.words = new Uint32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(BigInt(address))!, TENSOR_SIZE));
    this.at = 0;
  }
}

/** The address of a tensor's source, 0 where it has none. */
export function sourceAt(words: Uint32Array, at: number, index: number): number {
  const i = at + fields.src / 4 + 2 * index;
  return words[i] + words[i + 1] * WORD;
}
