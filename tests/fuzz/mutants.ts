/**
 * Mutants: a model's file with something wrong in it. A mutant is its file and its seed.
 *
 * @module
 */

import { Random } from "../random.ts";

/** What replaces numbers. */
const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  31n,
  33n,
  255n,
  256n,
  4096n,
  65_535n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 40n,
  (1n << 64n) - 1n,
];

/** A file's bytes with some of them changed, added or cut off, most of them in what it says of the model. */
export function mutant(bytes: Uint8Array<ArrayBuffer>, seed: number): Uint8Array<ArrayBuffer> {
  const random = new Random(seed), header = headerOf(bytes);
  let result = bytes.slice();
  do result = mutate(result, random, header); while (random.percent(30));
  return result;
}

/** Where the tensors' numbers begin, or nearly: after the last name of one. */
function headerOf(bytes: Uint8Array<ArrayBuffer>): number {
  const names = new TextDecoder("latin1").decode(bytes.subarray(0, 1 << 20));
  const last = Math.max(names.lastIndexOf(".weight"), names.lastIndexOf("tokenizer."));
  return Math.min(bytes.length, last < 0 ? bytes.length : last + 64);
}

function mutate(bytes: Uint8Array<ArrayBuffer>, random: Random, header: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer), kind = random.below(100);
  const at = random.percent(90) ? random.below(Math.min(header, bytes.length)) : random.below(bytes.length);
  if (kind < 40) bytes[at] = random.percent(50) ? bytes[at] ^ (1 << random.below(8)) : random.below(256);
  else if (kind < 55 && at + 4 <= bytes.length) view.setUint32(at, Number(random.pick(NUMBERS) & 0xffffffffn), true);
  else if (kind < 65 && at + 8 <= bytes.length) view.setBigUint64(at, random.pick(NUMBERS), true);
  else if (kind < 85) setValue(bytes, random);
  else if (kind < 95) return bytes.slice(0, random.percent(50) ? at : bytes.length - random.below(100));
  else return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - random.below(40)))]);
  return bytes;
}

/** Changes a key's value, or its type: four bytes after the key's name. */
function setValue(bytes: Uint8Array<ArrayBuffer>, random: Random): void {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 1 << 16));
  const keys = [...text.matchAll(/(?:general|llama|tokenizer)\.[a-z_.]+/g)].map(({ index, 0: { length } }) => index + length);
  if (keys.length === 0) return;
  const at = random.pick(keys) + (random.percent(20) ? 0 : 4);
  if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, Number(random.pick(NUMBERS) & 0xffffffffn), true);
}
