/**
 * Random types, dimensions and numbers.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import type { Random } from "../random.ts";
import type { Parameter } from "./catalogue.ts";
import type { Value } from "./steps.ts";

/** Four dimensions, fastest first. */
export type Shape = readonly [number, number, number, number];

const EDGES = [0, 1, -1, 2, 3, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1.5];
const WIDE = [2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n].map(String);
const FLOATS = [0, 1, -1, 0.5, 1e-5, 8, 1e38, 1e300];
const TEXTS = ["NaN", "Infinity", "-Infinity", "-0"] as const;

/** A dimension that occurs in real tensors, and now and then one that doesn't. */
export function dimension(random: Random, huge: boolean): number {
  const kind = random.below(100);
  if (kind < 30) return 1;
  if (kind < 34) return 0;
  if (kind < 70) return 1 + random.below(9);
  if (kind < 90 || !huge) return random.pick([16, 32, 64, 128, 256, 33, 255]);
  return random.pick([512, 4096, 65_536, 2 ** 20 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52]);
}

/** A shape of random rank, trailing ones. */
export function shape(random: Random, huge: boolean): Shape {
  const rank = random.below(5);
  return [0, 1, 2, 3].map((i) => i < rank ? dimension(random, huge) : 1) as unknown as Shape;
}

/** An integer argument: an edge, something small, or one of `near`, the numbers of the other arguments. */
export function integer(random: Random, bits: number, near: readonly number[]): Value {
  const kind = random.below(100);
  if (near.length > 0 && kind < 35) return random.pick(near) + (random.percent(10) ? random.pick([-1, 1]) : 0);
  if (kind < 75) return random.below(6);
  if (kind < 96) return random.pick(EDGES);
  if (kind < 98) return { text: random.pick(TEXTS) };
  return bits === 64 ? { bigint: random.pick(WIDE) } : { text: "undefined" };
}

/** A floating argument. */
export function float(random: Random): Value {
  const kind = random.below(100);
  if (kind < 60) return random.pick(FLOATS);
  return kind < 85 ? random.below(2000) / 1000 - 1 : { text: random.pick(TEXTS) };
}

export function enumerator(random: Random, names: readonly string[]): Value {
  return { name: random.pick(names) };
}

/** A number that is none of an enum's values, or hardly. */
export function noEnumerator(random: Random): Value {
  return random.pick<Value>([-1, 4, 5, 31, 36, 255, 1000, 2 ** 31 - 1, 2 ** 32, 1.5, { text: "NaN" }, "F32", null]);
}

/** An array of the kind that a parameter takes, of four numbers unless it is `wrong`. */
export function array(random: Random, { of }: Parameter, near: readonly number[], wrong: boolean): Value {
  const kind = of === "BigInt64Array" || of === "Float32Array" || of === "Uint8Array" ? of : "Int32Array";
  const length = wrong ? random.below(4) : 4;
  const items = Array.from({ length }, () => near.length > 0 && random.percent(60) ? random.pick(near) : random.below(4));
  if (wrong && random.percent(30)) return { array: "Float32Array", items };
  return { array: kind, items };
}

/** A type that tensors have, by name, with the facts that shapes depend on. */
export interface TypeFacts {
  readonly name: string;
  readonly type: lib.ggml_type;
  /** Elements in a block. */
  readonly block: number;
}

/** The types that exist, by traits. */
export function types(names: readonly string[]): TypeFacts[] {
  const all = lib as unknown as Record<string, lib.ggml_type>;
  return names.filter((name) => name !== "GGML_TYPE_COUNT").map((name) => ({
    name,
    type: all[name],
    block: blockOf(all[name]),
  })).filter(({ block }) => block > 0);
}

/** Elements in a block of a type; 0 where it is none any more, or the library is older than it. */
function blockOf(type: lib.ggml_type): number {
  try {
    return Number(lib.ggml_blck_size(type));
  } catch (error) {
    if (error instanceof Error && error.message.includes("is not in the loaded library")) return 0;
    throw error;
  }
}
