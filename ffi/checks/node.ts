/**
 * A tensor as checks read it: by its address, without a handle.
 *
 * @module
 */

import { ABI } from "../layouts.js";
import type { TensorMemory } from "../tensor_memory.ts";

const { fields } = ABI.records.ggml_tensor;

/** What a node is computed from, and how. */
export class Node {
  readonly address: bigint;
  readonly #memory: TensorMemory;
  readonly #words: Uint32Array;
  readonly #at: number;

  constructor(address: bigint, memory: TensorMemory) {
    memory.find(Number(address));
    this.address = address;
    this.#memory = memory;
    this.#words = memory.words;
    this.#at = memory.at;
  }

  /** `enum ggml_type`. */
  get type(): number {
    return this.#words[this.#at + fields.type / 4];
  }

  /** `enum ggml_op`. */
  get op(): number {
    return this.#words[this.#at + fields.op / 4];
  }

  /** The sizes of its dimensions. */
  get ne(): number[] {
    return this.#longs(fields.ne, 4);
  }

  /** Their strides, in bytes. */
  get nb(): number[] {
    return this.#longs(fields.nb, 4);
  }

  /** The operation's parameters. */
  get parameters(): Int32Array {
    return new Int32Array(this.#words.buffer, this.#words.byteOffset + 4 * this.#at + fields.op_params, 16);
  }

  /** The same as floats. */
  get floats(): Float32Array {
    return new Float32Array(this.#words.buffer, this.#words.byteOffset + 4 * this.#at + fields.op_params, 16);
  }

  /** Where its numbers are; 0 for nowhere. */
  get data(): number {
    return this.#longs(fields.data, 1)[0];
  }

  /** The address of its backend's buffer; 0 where it is in a context's own memory. */
  get buffer(): number {
    return this.#longs(fields.buffer, 1)[0];
  }

  /** What it is a view of; null for what has memory of its own. */
  get view(): Node | null {
    return this.#node(fields.view_src);
  }

  /** What it is computed from; null for nothing. */
  src(i: number): Node | null {
    return this.#node(fields.src + 8 * i);
  }

  /** All that it is computed from. */
  get sources(): Node[] {
    return Array.from({ length: 10 }, (_, i) => this.src(i)).filter((source) => source !== null);
  }

  /** How many numbers it has. */
  get elements(): number {
    const [a, b, c, d] = this.ne;
    return a * b * c * d;
  }

  /** The memory that it and its sources are read from. */
  at(address: bigint): Node {
    return new Node(address, this.#memory);
  }

  #node(field: number): Node | null {
    const address = this.#longs(field, 1)[0];
    return address === 0 ? null : this.at(BigInt(address));
  }

  #longs(field: number, count: number): number[] {
    const longs: number[] = [];
    for (let i = this.#at + field / 4; longs.length < count; i += 2) longs.push(this.#words[i] + (this.#words[i + 1] | 0) * 2 ** 32);
    return longs;
  }
}
