/**
 * GGUF files to try the reader on: built field by field at random, then broken where it hurts.
 *
 * A case is its seed and its number: the process that tries it on C makes it anew.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { TYPES } from "../context.ts";
import { Random } from "../random.ts";

/** A piece of a file, and what it is: that decides what is put in its place. */
interface Field {
  readonly kind: "magic" | "u32" | "u64" | "text" | "data";
  bytes: Uint8Array;
}

const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const NAMES = [
  "a",
  "b",
  "general.name",
  "general.alignment",
  "general.alignment\0",
  "tokens",
  "\xff\0",
  "",
  "x".repeat(63),
  "x".repeat(64),
];
const COUNTS = [0n, 1n, 2n, 3n, 31n, 32n, 33n, 64n, 255n, 1n << 20n, 1n << 30n, (1n << 30n) + 1n, 1n << 31n, 1n << 32n, (1n << 32n) + 1n];
const HUGE = [
  1n << 40n,
  1n << 53n,
  (1n << 53n) + 1n,
  1n << 60n,
  1n << 61n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 32n,
  (1n << 64n) - 1n,
];

/** Makes one file. */
class Maker {
  readonly fields: Field[] = [];
  readonly #random: Random;
  #alignment = 32;

  constructor(random: Random) {
    this.#random = random;
  }

  make(): void {
    const keys = this.#random.below(5), tensors = this.#random.below(4);
    this.#add("magic", new TextEncoder().encode("GGUF"));
    this.#u32(this.#random.percent(20) ? 2 : 3);
    this.#u64(tensors);
    this.#u64(keys);
    for (let i = 0; i < keys; i++) this.#key(i);
    this.#tensors(tensors);
  }

  #add(kind: Field["kind"], bytes: Uint8Array): void {
    this.fields.push({ kind, bytes });
  }

  #u32(value: number): void {
    this.#add("u32", new Uint8Array(new Uint32Array([value]).buffer));
  }

  #u64(value: number): void {
    this.#add("u64", new Uint8Array(new BigUint64Array([BigInt(value)]).buffer));
  }

  #text(text: string): void {
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    this.#u64(bytes.length);
    this.#add("text", bytes);
  }

  #key(i: number): void {
    if (this.#random.percent(15) && this.#alignment === 32) {
      this.#text("general.alignment");
      this.#u32(lib.GGUF_TYPE_UINT32);
      return this.#u32(this.#alignment = 1 << this.#random.below(9));
    }
    this.#text(`key.${i}`);
    const type = this.#random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]);
    if (!this.#random.percent(40)) {
      this.#u32(type);
      return this.#value(type);
    }
    const length = this.#random.below(6);
    this.#u32(lib.GGUF_TYPE_ARRAY);
    this.#u32(type);
    this.#u64(length);
    for (let j = 0; j < length; j++) this.#value(type);
  }

  #value(type: number): void {
    if (type === lib.GGUF_TYPE_STRING) this.#text("text".repeat(this.#random.below(4)));
    else this.#add("data", this.#noise(SIZES[type]));
  }

  #tensors(count: number): void {
    let offset = 0;
    const sizes = Array.from({ length: count }, (_, i) => {
      const size = this.#tensor(i, offset);
      offset += Math.ceil(size / this.#alignment) * this.#alignment;
      return size;
    });
    if (count > 0) this.#pad();
    sizes.forEach((size, i) => {
      this.#add("data", this.#noise(size));
      if (i + 1 < count || this.#random.percent(80)) this.#pad();
    });
  }

  #tensor(i: number, offset: number): number {
    const type = this.#random.pick(TYPES), block = lib.ggml_blck_size(type);
    const ne = [block * this.#random.below(3), ...Array.from({ length: this.#random.below(4) }, () => this.#random.below(4))];
    this.#text(`tensor.${i}`);
    this.#u32(ne.length);
    ne.forEach((n) => this.#u64(n));
    this.#u32(type);
    this.#u64(offset);
    return ne.reduce((a, b) => a * b) / block * lib.ggml_type_size(type);
  }

  #pad(): void {
    const length = this.fields.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#add("data", new Uint8Array((this.#alignment - length % this.#alignment) % this.#alignment));
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.below(256));
  }
}

/** The file of that number. */
export function caseOf(seed: number, number: number): Uint8Array<ArrayBuffer> {
  const random = new Random(Math.imul(seed, 0x9e3779b1) + number);
  const maker = new Maker(random);
  maker.make();
  const { fields } = maker;
  const count = random.pick([0, 1, 1, 1, 1, 2, 3]);
  for (let i = 0; i < count; i++) mutateField(random, fields);
  let bytes = join(fields);
  if (random.percent(25)) bytes = mutateBytes(random, bytes);
  return bytes;
}

/** Puts something else in a field's place, or a field elsewhere. */
function mutateField(random: Random, fields: Field[]): void {
  const at = random.below(fields.length), field = fields[at];
  switch (random.below(12)) {
    case 0:
      fields.splice(at, 1);
      return;
    case 1:
      fields.splice(random.below(fields.length), 0, { ...field });
      return;
    case 2:
      fields[random.below(fields.length)].bytes = field.bytes;
      return;
  }
  const { bytes } = field;
  if (field.kind === "u64") field.bytes = new Uint8Array(new BigUint64Array([otherNumber(random, bytes)]).buffer);
  else if (field.kind === "u32") field.bytes = new Uint8Array(new Uint32Array([otherWord(random, bytes)]).buffer);
  else if (field.kind === "text") replaceText(random, fields, at);
  else field.bytes = bytes.map((byte) => random.percent(30) ? random.below(256) : byte);
}

function otherNumber(random: Random, bytes: Uint8Array): bigint {
  const old = wordAt(bytes, 0) + (wordAt(bytes, 4) << 32n);
  const values = [old + 1n, old - 1n, old * 2n, old + 32n, random.pick(COUNTS), random.pick(COUNTS), random.pick(HUGE)];
  return BigInt.asUintN(64, random.pick(values));
}

/** Little-endian, of a field that may hold another one's bytes. */
function wordAt(bytes: Uint8Array, at: number): bigint {
  return [3, 2, 1, 0].reduce((word, i) => word << 8n | BigInt(bytes[at + i] ?? 0), 0n);
}

function otherWord(random: Random, bytes: Uint8Array): number {
  const old = Number(wordAt(bytes, 0));
  return random.pick([
    old + 1,
    old - 1,
    old << 1,
    old << 24,
    random.below(14),
    random.below(45),
    random.below(2 ** 32),
    0xffffffff,
    1 << 31,
  ]);
}

/** A text, and mostly its length, which is the field before it. */
function replaceText(random: Random, fields: Field[], at: number): void {
  const bytes = Uint8Array.from(random.pick(NAMES), (letter) => letter.charCodeAt(0));
  fields[at].bytes = bytes;
  if (at > 0 && random.percent(90)) fields[at - 1].bytes = new Uint8Array(new BigUint64Array([BigInt(bytes.length)]).buffer);
}

/** What doesn't look at fields: a file cut off, bits flipped, a part lost or there twice. */
function mutateBytes(random: Random, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length), length = random.below(64);
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    case 2:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - length))]);
    case 3:
      return new Uint8Array([...bytes, ...new Uint8Array(length)]);
  }
  for (let i = random.below(8); i >= 0; i--) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
}

function join(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fields.flatMap(({ bytes }) => [...bytes]));
}
