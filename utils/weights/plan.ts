/**
 * The plan of a loading: which tensors there shall be, and what memory each goes to.
 *
 * @module
 */

import { describe, quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { newTensor } from "../copying/new_tensor.ts";
import { expectType } from "../copying/types.ts";
import type { WeightsEntry, WeightsFile } from "./file.ts";
import type { Repacker } from "./repack.ts";

/** A tensor that shall be loaded. */
export interface Weight extends WeightsEntry {
  readonly type: lib.ggml_type;
  /** Its own name in the file, or the one that an alias gives it. */
  readonly name: string;
  /** A kind of buffer other than the backend's own; null for that one. */
  readonly repackedIn: lib.ggml_backend_buffer_type | null;
}

/** What the caller wants. */
export interface Wishes {
  readonly select: (name: string) => boolean;
  readonly alias: Readonly<Record<string, string>>;
  readonly repack: (name: string) => boolean;
}

/**
 * The tensors that shall be loaded, in the file's order, then the aliases that need memory of their own.
 *
 * @returns With them, the other aliases: further names of the same tensors.
 * @throws {Error} If ggml hasn't got a tensor's type, there is no such tensor, or two have one name.
 */
export function planWeights(
  file: WeightsFile,
  repacker: Repacker | null,
  wishes: Wishes,
  where: string,
): { weights: Weight[]; same: Map<string, string> } {
  const weights: Weight[] = [], same = new Map<string, string>();
  const typeFor = (name: string, entry: WeightsEntry) => repacker !== null && wishes.repack(name) ? repacker.typeFor(entry) : null;
  for (const [name, entry] of file.tensors) {
    if (wishes.select(name)) weights.push({ ...expectEntry(name, entry, where), name, repackedIn: typeFor(name, entry) });
  }
  for (const [name, original] of Object.entries(wishes.alias)) {
    const weight = weights.find((weight) => weight.name === original);
    if (weight === undefined) throw new Error(`${where}: alias ${quote(name)}: there is no tensor ${quote(original)}`);
    if (file.tensors.has(name)) throw new Error(`${where}: alias ${quote(name)}: there is a tensor of that name already`);
    const repackedIn = typeFor(name, weight);
    if (repackedIn === weight.repackedIn) same.set(name, original);
    else weights.push({ ...weight, name, repackedIn });
  }
  return { weights, same };
}

function expectEntry(name: string, entry: WeightsEntry, where: string) {
  if (typeof name !== "string") throw new TypeError(`${where}: expected a tensor's name, got ${describe(name)}`);
  const place = `${where}: tensor ${quote(name)}`;
  if (typeof entry !== "object" || entry === null) {
    throw new TypeError(`${place}: expected { type, ne, offset, byteLength }, got ${describe(entry)}`);
  }
  const { type, ne, offset, byteLength } = entry;
  if (type === null) throw new TypeError(`${place}: ggml hasn't got its type: leave it out by select, and copy its numbers or bytes`);
  if (!Array.isArray(ne) || !ne.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    const got = Array.isArray(ne) ? `[${ne.map(describe).join(", ")}]` : describe(ne);
    throw new TypeError(`${place}: expected an array of whole numbers as ne, got ${got}`);
  }
  for (const [what, value] of Object.entries({ offset, byteLength })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new RangeError(`${place}: expected a whole number of bytes as ${what}, got ${describe(value)}`);
  }
  return { type, ne, offset, byteLength };
}

/**
 * Makes the tensors, without memory for their data, in a context of their own.
 *
 * @throws {RangeError} If a file's bytes aren't as many as a tensor needs, or reach beyond its end.
 */
export function makeTensors(
  ctx: lib.ggml_context,
  weights: readonly Weight[],
  file: { path: string; size: number },
  where: string,
): lib.ggml_tensor[] {
  return weights.map(({ name, type, ne, offset, byteLength }) => {
    const place = `${where}: ${file.path}: tensor ${quote(name)}`;
    if (offset + byteLength > file.size) {
      throw new RangeError(`${place}: its ${byteLength} bytes from ${offset} on reach beyond the end of the file, ${file.size}`);
    }
    const tensor = newTensor(ctx, expectType(place, type), ne.toReversed(), name, place), needed = lib.ggml_nbytes(tensor);
    if (needed === byteLength) return tensor;
    throw new RangeError(`${place}: ${lib.ggml_type_name(type)} of ne=[${ne.join(", ")}] has ${needed} bytes, and the file ${byteLength}`);
  });
}
