/**
 * A tensor as checks read it: by its address, without a handle.
 *
 * @module
 */

import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { operation } from "../../load/numbering.ts";
import type { TensorMemory } from "../tensor_memory.ts";
import { traitsOf } from "./types.ts";

const { fields } = ABI.records.ggml_tensor;

/** What a node is computed from, and how. */
export class Node {
  readonly address: bigint;
  /** Where its struct is, in numbers of 32 bits. */
  readonly words: Uint32Array;
  readonly at: number;
  readonly #memory: TensorMemory;

  constructor(address: bigint, memory: TensorMemory) {
    memory.find(Number(address));
    this.address = address;
    this.#memory = memory;
    this.words = memory.words;
    this.at = memory.at;
  }

  /** `enum ggml_type`. */
  get type(): number {
    return this.words[this.at + fields.type / 4];
  }

  /** `enum ggml_op`. */
  get op(): number {
    return operation(this.words[this.at + fields.op / 4]);
  }

  /** The sizes of its dimensions. */
  get ne(): number[] {
    return this.#longs(fields.ne, 4);
  }

  /** The dimensions' strides, in bytes. */
  get nb(): number[] {
    return this.#longs(fields.nb, 4);
  }

  /** The operation's parameters. */
  get parameters(): Int32Array {
    return new Int32Array(this.words.buffer, this.words.byteOffset + 4 * this.at + fields.op_params, 16);
  }

  /** Where its numbers are; 0 for nowhere. */
  get data(): number {
    return this.#longs(fields.data, 1)[0];
  }

  /** The address of its backend's buffer; 0 where it is in a context's own memory. */
  get buffer(): number {
    return this.#longs(fields.buffer, 1)[0];
  }

  /** `enum ggml_tensor_flag`, or'ed. */
  get flags(): number {
    return this.words[this.at + fields.flags / 4];
  }

  /** Where in the memory of what it is a view of it begins, in bytes. */
  get offset(): number {
    return this.#longs(fields.view_offs, 1)[0];
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

  /** How many bytes there are from its first number to its last, both included: `ggml_nbytes`. */
  get bytes(): number {
    const { ne, nb, type } = this, { size, block } = traitsOf(type);
    if (ne.some((count) => count <= 0)) return 0;
    const row = block === 1 ? size + (ne[0] - 1) * nb[0] : ne[0] * nb[0] / block;
    return row + (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
  }

  /** How many bytes there are from its first number to the end of the memory that it lies in; 0 for no memory. */
  get room(): number {
    const { data, buffer } = this;
    if (data === 0) return 0;
    if (buffer !== 0) return bufferEnd(BigInt(buffer)) - data;
    return this.#memory.endOf(data) - data;
  }

  #node(field: number): Node | null {
    const address = this.#longs(field, 1)[0];
    return address === 0 ? null : new Node(BigInt(address), this.#memory);
  }

  #longs(field: number, count: number): number[] {
    const longs: number[] = [];
    for (let i = this.at + field / 4; longs.length < count; i += 2) longs.push(this.words[i] + (this.words[i + 1] | 0) * 2 ** 32);
    return longs;
  }
}

let baseOf: ((buffer: bigint) => bigint) | null = null;
let sizeOf: ((buffer: bigint) => bigint) | null = null;

/** Where a backend's buffer ends. */
function bufferEnd(buffer: bigint): number {
  baseOf ??= library().symbol("ggml_backend_buffer_get_base", { parameters: ["u64"], result: "u64" }) as (buffer: bigint) => bigint;
  sizeOf ??= library().symbol("ggml_backend_buffer_get_size", { parameters: ["u64"], result: "u64" }) as (buffer: bigint) => bigint;
  return Number(baseOf(buffer) + BigInt(sizeOf(buffer)));
}
