/**
 * Random metadata and tensors for `fast-check`.
 *
 * @module
 */

import fc from "fast-check";
import { lib } from "@ggml/deno";
import type { GgufTensorData, GgufValue } from "@ggml/deno/utils";
import { TYPES } from "../../context.ts";

const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", maxLength: 60 }));
// C's strings end at a NUL, and what is compared with comes from there.
const cText = text.map((value) => value.replaceAll("\0", "_"));

const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
/** 64-bit integers as `readGguf` gives them: as numbers where that is exact. */
const narrow = (value: bigint) => value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

const scalars: Record<string, fc.Arbitrary<unknown>> = {
  u8: uint(8),
  i8: int(8),
  u16: uint(16),
  i16: int(16),
  u32: uint(32),
  i32: int(32),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(narrow),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrow),
  f32: fc.float(),
  f64: fc.double(),
  bool: fc.boolean(),
  str: cText,
};

const arrays: Record<string, fc.Arbitrary<unknown>> = {
  u8: fc.uint8Array(),
  i8: fc.int8Array(),
  u16: fc.uint16Array(),
  i16: fc.int16Array(),
  u32: fc.uint32Array(),
  i32: fc.int32Array(),
  u64: fc.bigUint64Array(),
  i64: fc.bigInt64Array(),
  f32: fc.float32Array(),
  f64: fc.float64Array(),
  bool: fc.array(fc.boolean()),
  str: fc.array(cText),
};

const value = fc.oneof(
  ...Object.entries(scalars).map(([type, values]) => values.map((value) => ({ type, value }))),
  ...Object.entries(arrays).map(([type, values]) => values.map((value) => ({ type: `${type}[]`, value }))),
) as fc.Arbitrary<GgufValue>;

const key = cText.filter((name) => name !== "" && name !== "general.alignment");

/** Metadata with every type of value, and now and then an alignment. */
export const metadata = fc.tuple(fc.array(fc.tuple(key, value), { maxLength: 8 }), fc.option(fc.nat(9))).map(([entries, bits]) => {
  const all = new Map<string, GgufValue>(entries);
  if (bits !== null) all.set("general.alignment", { type: "u32", value: 2 ** bits });
  return all;
});

const shape = fc.tuple(fc.constantFrom(...TYPES), fc.array(fc.nat(3), { maxLength: 3 }), fc.nat(2), fc.boolean());
const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme-ascii" });

/** Tensors of every type by name, with random bytes. */
export const tensors = fc.array(fc.tuple(name, shape, fc.integer()), { maxLength: 5 }).map((all) => {
  return new Map(all.map(([name, [type, rest, blocks, plain], seed]): [string, GgufTensorData & { data: Uint8Array }] => {
    const block = lib.ggml_blck_size(type);
    const ne = plain && block === 1 ? rest : [blocks * block, ...rest];
    const length = ne.reduce((a, b) => a * b, 1) / block * lib.ggml_type_size(type);
    return [name, { type, ne, data: Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24) }];
  }));
});
