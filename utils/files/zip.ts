/**
 * Zip archives, as far as numpy's `.npz` needs them: entries that are stored or deflated. No encryption, no archives in several parts.
 *
 * The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { decodeText } from "../../ffi/core/text.ts";
import { crc32 } from "./crc32.ts";
import type { Input } from "./input.ts";

/** An entry of an archive. */
export interface Entry {
  readonly name: string;
  /** Where in the archive it begins, with its own header. */
  readonly offset: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes of what is packed. */
  readonly size: number;
}

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END_64 = 0x06064b50, LOCATOR_64 = 0x07064b50;
const LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END_64_SIZE = 56, LOCATOR_SIZE = 20;
const STORED = 0, DEFLATED = 8;
const ENCRYPTED = 1, UTF_8 = 0x800;
/** Stands for a number that is in the extra field. */
const LARGE = 0xffffffff;
/** The extra field of 64-bit numbers. */
const EXTRA_64 = 1;

/** More entries than that no archive of arrays has, nor a directory of more bytes. */
const MOST_DIRECTORY = 2 ** 28;

/** The entries of an archive, in its order. */
export function entriesOf(input: Input): Entry[] {
  const { offset, size, count } = directoryOf(input);
  if (offset + size > input.size || size > MOST_DIRECTORY) {
    throw new Error(`at ${offset}: a directory of ${size} bytes, and the file has ${input.size}`);
  }
  const bytes = input.read(offset, size), view = new DataView(bytes.buffer);
  const entries: Entry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + CENTRAL_SIZE > size || view.getUint32(at, true) !== CENTRAL) {
      throw new Error(`at ${offset + at}: entry ${entries.length} of ${count} is missing`);
    }
    const nameLength = view.getUint16(at + 28, true), extraLength = view.getUint16(at + 30, true), comment = view.getUint16(at + 32, true);
    const end = at + CENTRAL_SIZE + nameLength + extraLength + comment;
    if (end > size) throw new Error(`at ${offset + at}: entry ${entries.length} of ${count} reaches beyond the directory`);
    const name = decodeText(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength));
    if (view.getUint16(at + 8, true) & ENCRYPTED) throw new Error(`at ${offset + at}: ${quote(name)} is encrypted`);
    const extra = new DataView(bytes.buffer, at + CENTRAL_SIZE + nameLength, extraLength);
    const [unpacked, packed, begin] = large(extra, [24, 20, 42].map((field) => view.getUint32(at + field, true)));
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed,
      size: unpacked,
      offset: begin,
    });
    at = end;
  }
  if (at !== size) throw new Error(`at ${offset + at}: the directory goes on behind the last of ${count} entries`);
  return entries;
}

/** Numbers of which those that don't fit in 32 bits are in the extra field, in the same order. */
function large(extra: DataView, numbers: readonly number[]): number[] {
  let field = 0;
  while (field + 4 <= extra.byteLength && extra.getUint16(field, true) !== EXTRA_64) field += 4 + extra.getUint16(field + 2, true);
  let at = field + 4;
  return numbers.map((number) => {
    if (number !== LARGE || at + 8 > extra.byteLength) return number;
    at += 8;
    return Number(extra.getBigUint64(at - 8, true));
  });
}

/** Where the directory is. It is told at the end of the file, before a comment. */
function directoryOf(input: Input): { offset: number; size: number; count: number } {
  const length = Math.min(input.size, END_SIZE + 0xffff), begin = input.size - length;
  const view = new DataView(input.read(begin, length).buffer);
  for (let at = length - END_SIZE; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_SIZE + view.getUint16(at + 20, true) !== length) continue;
    const count = view.getUint16(at + 10, true), size = view.getUint32(at + 12, true), offset = view.getUint32(at + 16, true);
    const isLarge = count === 0xffff || size === LARGE || offset === LARGE;
    return (isLarge ? largeDirectoryOf(input, begin + at) : null) ?? { offset, size, count };
  }
  throw new Error("at 0: no .npz file: a zip archive has its directory at its end, and there is none");
}

function largeDirectoryOf(input: Input, end: number): { offset: number; size: number; count: number } | null {
  if (end < LOCATOR_SIZE) return null;
  const locator = new DataView(input.read(end - LOCATOR_SIZE, LOCATOR_SIZE).buffer);
  if (locator.getUint32(0, true) !== LOCATOR_64) return null;
  const at = Number(locator.getBigUint64(8, true));
  if (at + END_64_SIZE > input.size) throw new Error(`at ${end - LOCATOR_SIZE}: the directory's end is said to be at ${at}`);
  const view = new DataView(input.read(at, END_64_SIZE).buffer);
  if (view.getUint32(0, true) !== END_64) throw new Error(`at ${at}: expected the end of the directory`);
  const [count, size, offset] = [32, 40, 48].map((field) => Number(view.getBigUint64(field, true)));
  return { count, size, offset };
}

/** What is in an entry. Memory is taken for what is there, not for what the archive says. */
export async function unpack(input: Input, { name, offset, method, crc, packed, size }: Entry): Promise<Uint8Array<ArrayBuffer>> {
  const where = `at ${offset}: ${quote(name)}`;
  if (offset + LOCAL_SIZE > input.size) throw new Error(`${where} is beyond the end of the file`);
  const local = new DataView(input.read(offset, LOCAL_SIZE).buffer);
  if (local.getUint32(0, true) !== LOCAL) throw new Error(`${where} is not there`);
  const nameLength = local.getUint16(26, true), begin = offset + LOCAL_SIZE + nameLength + local.getUint16(28, true);
  if (begin + packed > input.size) throw new Error(`${where} has ${packed} bytes, and ${input.size - begin} follow`);
  const own = decodeText(input.read(offset + LOCAL_SIZE, nameLength));
  if (own !== name) throw new Error(`${where} is called ${quote(own)} there`);
  if (method !== STORED && method !== DEFLATED) throw new Error(`${where} is packed by method ${method}; 0 and 8 (deflate) are read`);
  const raw = input.read(begin, packed);
  const bytes = method === STORED ? raw : await inflate(raw, size, where);
  if (bytes.length !== size) throw new Error(`${where} has ${bytes.length} bytes, and the archive says ${size}`);
  if (crc32(bytes) !== crc) throw new Error(`${where} is damaged: its checksum is another one`);
  return bytes;
}

async function inflate(packed: Uint8Array<ArrayBuffer>, size: number, where: string): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))) {
      length += piece.length;
      if (length > size) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw new Error(`${where} can't be unpacked: ${(cause as Error).message}`, { cause });
  }
  if (length > size) throw new Error(`${where} has more bytes than the ${size} that the archive says`);
  return joined(pieces);
}

/** The versions of the format that an entry needs: for a folder or any file, and for numbers of 64 bits. */
const VERSION = 20, VERSION_64 = 45;
/** How many entries are counted in 16 bits. */
const MANY = 0xffff;

/** An archive that is written, one entry after the other. Each is stored as it is. What doesn't fit in 32 bits is written in 64. */
export class ZipWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #limit: number;
  readonly #directory: Uint8Array[] = [];
  #offset = 0;

  /**
   * @param write Takes the archive's bytes in their order.
   * @param limit From which on numbers are written in 64 bits.
   */
  constructor(write: (bytes: Uint8Array) => void, limit: number = LARGE) {
    this.#write = write;
    this.#limit = limit;
  }

  /**
   * Writes an entry.
   *
   * @param parts What is in it, one after the other.
   */
  add(name: string, parts: readonly Uint8Array[]): void {
    const bytes = new TextEncoder().encode(name), offset = this.#offset;
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const crc = parts.reduce((crc, part) => crc32(part, crc), 0);
    const sizes = this.#isLarge(size) ? [size, size] : [], places = this.#isLarge(offset) ? [offset] : [];
    const shortSize = sizes.length > 0 ? LARGE : size, shortOffset = places.length > 0 ? LARGE : offset;
    const version = sizes.length + places.length > 0 ? VERSION_64 : VERSION;
    // Flags, method, time and date (the first that there is), checksum, sizes, length of the name.
    const shared = joined([numbers(2, UTF_8, STORED, 0, 0x21), numbers(4, crc, shortSize, shortSize), numbers(2, bytes.length)]);
    const local = extra(sizes), central = extra([...sizes, ...places]);
    this.#put([joined([numbers(4, LOCAL), numbers(2, version), shared, numbers(2, local.length), bytes, local]), ...parts]);
    const rest = [numbers(2, central.length, 0, 0, 0), numbers(4, 0, shortOffset), bytes, central];
    this.#directory.push(joined([numbers(4, CENTRAL), numbers(2, version, version), shared, ...rest]));
  }

  /** Writes the directory, once all entries are there. */
  end(): void {
    const offset = this.#offset, count = this.#directory.length;
    this.#put([joined(this.#directory)]);
    const end = this.#offset, size = end - offset;
    const isLarge = count >= MANY || this.#isLarge(size) || this.#isLarge(offset);
    if (isLarge) {
      const rest = [numbers(2, VERSION_64, VERSION_64), numbers(4, 0, 0), numbers(8, count, count, size, offset)];
      this.#put([numbers(4, END_64), numbers(8, END_64_SIZE - 12), ...rest]);
      this.#put([numbers(4, LOCATOR_64, 0), numbers(8, end), numbers(4, 1)]);
    }
    const [short, shortSize, shortOffset] = isLarge ? [MANY, LARGE, LARGE] : [count, size, offset];
    this.#put([numbers(4, END), numbers(2, 0, 0, short, short), numbers(4, shortSize, shortOffset), numbers(2, 0)]);
  }

  #isLarge(number: number): boolean {
    return number >= this.#limit;
  }

  #put(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#write(part);
      this.#offset += part.length;
    }
  }
}

/** The extra field of numbers of 64 bits; nothing where there are none. */
function extra(large: readonly number[]): Uint8Array {
  return large.length === 0 ? new Uint8Array() : joined([numbers(2, EXTRA_64, 8 * large.length), numbers(8, ...large)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whole numbers of so many bytes. */
function numbers(width: 2 | 4 | 8, ...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, i) => {
    if (width === 2) view.setUint16(2 * i, value, true);
    else if (width === 4) view.setUint32(4 * i, value, true);
    else view.setBigUint64(8 * i, BigInt(value), true);
  });
  return new Uint8Array(view.buffer);
}
