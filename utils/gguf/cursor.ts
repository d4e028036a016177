/**
 * A place in a file that goes forward, and never past its end: whatever a file claims is held against what is left of it first.
 *
 * @module
 */

import { GgufError } from "./error.ts";
import type { Source } from "./source.ts";
import { decodeText } from "../../ffi/core/text.ts";
import { MAX_HEAD, MAX_ITEMS } from "./limits.ts";
import { MAX_LENGTH } from "./values.ts";

/** Bytes read ahead. */
const CHUNK = 64 * 1024;

/** Reads a file from its beginning on. */
export class Cursor {
  readonly #source: Source;
  readonly #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK);
  readonly #view: DataView = new DataView(this.#chunk.buffer);
  /** Where in the file the chunk begins, and how much of it is filled. */
  #start = 0;
  #filled = 0;
  #items = 0;
  /** Where in the file the next byte is. */
  offset = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Bytes from here to the end of the file. */
  get remaining(): number {
    return this.#source.size - this.offset;
  }

  /** The error for what begins at `at`, by default here. */
  error(field: string, problem: string, at = this.offset, options?: ErrorOptions): GgufError {
    const { path, where } = this.#source;
    return new GgufError(path, at, field, problem, { ...options, where });
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), true);
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#advance(4, field), true);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field), true);
  }

  i64(field: string): bigint {
    return this.#view.getBigInt64(this.#advance(8, field), true);
  }

  /** The next bytes, in memory of their own. */
  bytes(length: number, field: string): Uint8Array<ArrayBuffer> {
    if (length <= CHUNK) return this.#near(length, field).slice();
    this.#expect(length, field);
    const bytes = new Uint8Array(length);
    this.#source.readInto(bytes, this.offset, this.#source.where);
    this.offset += length;
    return bytes;
  }

  /** The bytes of a string, which follow their number. They are good until the next call. */
  stringBytes(field: string): Uint8Array<ArrayBuffer> {
    const at = this.offset;
    const begin = this.#advance(8, field);
    // Exact up to what is allowed, and faster than a bigint.
    const length = this.#view.getUint32(begin, true) + this.#view.getUint32(begin + 4, true) * 2 ** 32;
    if (length > MAX_LENGTH) {
      const exact = this.#view.getBigUint64(begin, true);
      throw this.error(field, `a string of ${exact} bytes is longer than ggml reads (${MAX_LENGTH})`, at);
    }
    if (length > this.remaining) throw this.error(field, `a string of ${length} bytes, and the file has ${this.remaining} left`, at);
    return length > CHUNK ? this.bytes(length, field) : this.#near(length, field);
  }

  string(field: string): string {
    return decodeText(this.stringBytes(field));
  }

  /** Allows so many more elements of arrays that V8's heap holds. */
  allow(items: number, field: string, at: number): void {
    this.#items += items;
    if (this.#items > MAX_ITEMS) throw this.error(field, `the file has more than ${MAX_ITEMS} strings and booleans in arrays`, at);
  }

  /** Bytes in the chunk, good until the next call. */
  #near(length: number, field: string): Uint8Array<ArrayBuffer> {
    const begin = this.#advance(length, field);
    return this.#chunk.subarray(begin, begin + length);
  }

  #expect(length: number, field: string): void {
    const { remaining } = this;
    if (this.offset + length > MAX_HEAD) throw this.error(field, `the metadata is larger than ${MAX_HEAD} bytes`);
    if (length > remaining) throw this.error(field, `${length} bytes are needed, and the file has ${remaining} left`);
  }

  /** Goes forward over bytes, no more than a chunk; where in the chunk they are. */
  #advance(length: number, field: string): number {
    this.#expect(length, field);
    if (this.offset + length > this.#start + this.#filled) this.#fill();
    const begin = this.offset - this.#start;
    this.offset += length;
    return begin;
  }

  #fill(): void {
    this.#start = this.offset;
    this.#filled = Math.min(CHUNK, this.remaining);
    this.#source.readInto(this.#chunk.subarray(0, this.#filled), this.#start, this.#source.where);
  }
}
