/**
 * Checks of what quantizes and converts rows of numbers: C trusts that they are whole blocks, and that the memory is as long as it is told.
 *
 * @module
 */

import { ABI } from "../../generated/layouts.js";
import { atLeast } from "../../core/lengths.ts";
import { library } from "../../load/library.ts";
import { isType } from "../../load/numbering.ts";
import { expectBetween, type Int } from "./say.ts";
import { expectBlocks, type Traits, traitsOf, typeName } from "./types.ts";

/** Checks of functions of ggml.h and ggml-cpu.h. */
export const rows = {
  /** C writes rows that don't divide into blocks beyond the memory; copies as many bytes as a negative number is of `size_t`. */
  ggml_quantize_chunk(_: unknown, type: number, _src: unknown, _dst: unknown, start: Int, nrows: Int, n_per_row: Int): void {
    expectBetween("ggml_quantize_chunk(start)", start, 0, Infinity);
    expectBetween("ggml_quantize_chunk(nrows)", nrows, 0, Infinity);
    expectBetween("ggml_quantize_chunk(n_per_row)", n_per_row, 1, Infinity);
    expectBlocks("ggml_quantize_chunk(n_per_row)", n_per_row, type);
  },
  /** C copies as many bytes as a negative number is of `size_t`. */
  ggml_cpu_fp32_to_fp32(_: unknown, _x: unknown, _y: unknown, n: Int): void {
    expectBetween("ggml_cpu_fp32_to_fp32(arg2)", n, 0, Infinity);
  },
};

/** The functions that `ggml_type_traits` and `ggml_type_traits_cpu` point to, by address: each is of one type. */
let types: Map<bigint, number> | null = null;

/** The traits of the type whose function is at an address; null for any other function. */
function traitsAt(address: bigint): { readonly type: number; readonly traits: Traits } | null {
  types ??= readTypes();
  const type = types.get(address);
  return type === undefined ? null : { type, traits: traitsOf(type) };
}

function readTypes(): Map<bigint, number> {
  const found = new Map<bigint, number>();
  const { ggml_type_traits: base, ggml_type_traits_cpu: cpu } = ABI.records;
  const places = [
    ["ggml_get_type_traits", [base.fields.to_float, base.fields.from_float_ref]],
    ["ggml_get_type_traits_cpu", [cpu.fields.from_float, cpu.fields.vec_dot]],
  ] as const;
  for (const [name, fields] of places) {
    const traits = library().findOnce(name, ["u32"], "pointer")!;
    for (let type = 0; type < ABI.enums.ggml_type.GGML_TYPE_COUNT; type++) {
      if (!isType(type)) continue;
      const view = new Deno.UnsafePointerView(traits(type)!);
      for (const field of fields) found.set(view.getBigUint64(field), type);
    }
  }
  found.delete(0n);
  return found;
}

/** The bytes of a whole number of blocks. */
function bytesOf(where: string, count: Int, type: number): number {
  const { block, size } = traitsOf(type);
  expectBetween(where, count, 0, Infinity);
  expectBlocks(where, count, type);
  return Number(count) / block * size;
}

/** Several rows of memory, of which the last is as long as its numbers are. */
function expectRows(where: string, value: unknown, count: number, stride: Int, bytes: number, type: number): void {
  const length = (count - 1) * Number(stride) + bytes;
  atLeast(value, length, 1, "bytes", `${count === 1 ? "a row" : `${count} rows`} of ${typeName(type)}`, where);
}

/** Checks of the functions of types, before TypeScript calls one: by the name of the function type. */
export const functionTypes: Readonly<Record<string, (address: bigint, args: readonly unknown[]) => void>> = {
  ggml_to_float_t(address, [x, y, k]) {
    const known = traitsAt(address);
    if (known === null) return;
    const bytes = bytesOf("ggml_to_float_t(2)", k as Int, known.type);
    expectRows("ggml_to_float_t(0)", x, 1, 0, bytes, known.type);
    atLeast(y, Number(k), 4, "floats", "k", "ggml_to_float_t(1)");
  },
  ggml_from_float_t(address, [x, y, k]) {
    const known = traitsAt(address);
    if (known === null) return;
    const bytes = bytesOf("ggml_from_float_t(2)", k as Int, known.type);
    atLeast(x, Number(k), 4, "floats", "k", "ggml_from_float_t(0)");
    expectRows("ggml_from_float_t(1)", y, 1, 0, bytes, known.type);
  },
  ggml_vec_dot_t(address, [n, s, bs, x, bx, y, by, nrc]) {
    const known = traitsAt(address);
    if (known === null) return;
    const other = known.traits.dotType, count = Math.max(1, nrc as number);
    expectRows("ggml_vec_dot_t(3)", x, count, bx as Int, bytesOf("ggml_vec_dot_t(0)", n as Int, known.type), known.type);
    expectRows("ggml_vec_dot_t(5)", y, count, by as Int, bytesOf("ggml_vec_dot_t(0)", n as Int, other), other);
    atLeast(s, (count - 1) * Number(bs) + count, 4, "floats", "results", "ggml_vec_dot_t(1)");
  },
};
