/**
 * Ways to write a tensor's fields by hand, to what no function of ggml would.
 *
 * @module
 */

import { lib } from "@ggml/deno";

/** The tensors of a graph, and what else a field can be pointed at. */
export interface Tensors {
  /** f32 of 8 by 6, in memory of their own. */
  readonly a: lib.ggml_tensor;
  readonly b: lib.ggml_tensor;
  /** The first rows of `a`. */
  readonly view: lib.ggml_tensor;
  /** i32 of 3. */
  readonly indices: lib.ggml_tensor;
  /** `a + b`, `a` multiplied by `b`, rows of `a`, `sum` with positions, and some of that. */
  readonly sum: lib.ggml_tensor;
  readonly product: lib.ggml_tensor;
  readonly rows: lib.ggml_tensor;
  readonly rotated: lib.ggml_tensor;
  readonly part: lib.ggml_tensor;
  /** A tensor of two f16, which isn't in the graph. */
  readonly small: lib.ggml_tensor;
  /** A backend's buffer of 64 bytes. */
  readonly buffer: lib.ggml_backend_buffer;
}

type Name = Exclude<keyof Tensors, "buffer">;

/** Writes to fields. */
export interface Way {
  readonly name: string;
  readonly write: (tensors: Tensors) => void;
}

/** Every way: a field, a value, a tensor. */
export const ways: readonly Way[] = [
  ...types(),
  ...operations(),
  ...shapes(),
  ...sources(),
  ...memory(),
  ...views(),
  ...parameters(),
];

function way(tensor: Name, what: string, set: (tensor: lib.ggml_tensor, all: Tensors) => void): Way {
  return { name: `${tensor}.${what}`, write: (tensors) => set(tensors[tensor], tensors) };
}

function types(): Way[] {
  const { GGML_TYPE_F64: F64, GGML_TYPE_I8: I8, GGML_TYPE_I32: I32, GGML_TYPE_F16: F16, GGML_TYPE_Q4_0: Q4_0, GGML_TYPE_Q8_1: Q8_1 } = lib;
  const tensors: readonly Name[] = ["a", "view", "sum", "product", "rows", "indices"];
  return tensors.flatMap((tensor) =>
    [F64, I8, I32, F16, Q4_0, Q8_1].map((type) => way(tensor, `type = ${lib.ggml_type_name(type)}`, (t) => t.type = type))
  );
}

function operations(): Way[] {
  const others = Array.from({ length: lib.GGML_OP_COUNT }, (_, op) => op as lib.ggml_op);
  return others.flatMap((op) => [
    way("sum", `op = ${lib.ggml_op_name(op)}`, (t) => t.op = op),
    way("a", `op = ${lib.ggml_op_name(op)}`, (t) => t.op = op),
    way("view", `op = ${lib.ggml_op_name(op)}`, (t) => t.op = op),
  ]);
}

function shapes(): Way[] {
  const tensors: readonly Name[] = ["a", "view", "sum", "product", "rows", "indices", "part"];
  const ne = [[8, 6, 1, 2], [2 ** 40, 6, 1, 1], [8, 2 ** 31, 1, 1], [0, 6, 1, 1], [-8, 6, 1, 1], [8, -6, -1, 1], [6, 8, 1, 1], [
    1,
    1,
    1,
    1,
  ]];
  const nb = [[0, 0, 0, 0], [4, 2 ** 40, 2 ** 40, 2 ** 40], [4, 1, 1, 1], [1, 32, 192, 192], [32, 4, 192, 192], [4, 64, 384, 384]];
  return tensors.flatMap((tensor) => [
    ...ne.map((sizes) => way(tensor, `ne = [${sizes}]`, (t) => t.ne = sizes)),
    ...nb.map((strides) => way(tensor, `nb = [${strides}]`, (t) => t.nb = strides)),
  ]);
}

function sources(): Way[] {
  const lists: Record<string, (all: Tensors) => (lib.ggml_tensor | null)[]> = {
    none: () => [],
    "the second only": ({ b }) => [null, b],
    "the first only": ({ a }) => [a],
    itself: ({ sum }) => [sum, sum],
    "what is computed of it": ({ part }) => [part, part],
    indices: ({ indices }) => [indices, indices],
    "a small one": ({ small }) => [small, small],
    ten: ({ a }) => Array.from({ length: 10 }, () => a),
  };
  const tensors: readonly Name[] = ["sum", "product", "rows", "rotated", "part"];
  return tensors.flatMap((tensor) =>
    Object.entries(lists).map(([what, list]) =>
      way(tensor, `src = ${what}`, (t, all) => t.src = [...list(all), ...Array(10).fill(null)].slice(0, 10))
    )
  );
}

function memory(): Way[] {
  const tensors: readonly Name[] = ["a", "view", "sum", "indices"];
  return tensors.flatMap((tensor) => [
    way(tensor, "data = null", (t) => t.data = null),
    way(tensor, "data = 4 bytes", (t) => t.data = new Uint8Array(4)),
    way(tensor, "data = bytes that are not aligned", (t) => t.data = new Uint8Array(8 * 6 * 4 + 1).subarray(1)),
    way(tensor, "data = the end of some bytes", (t) => t.data = new Uint8Array(256).subarray(252)),
    way(tensor, "data = a small tensor's", (t, { small }) => t.data = small.data),
    way(tensor, "buffer = null", (t) => t.buffer = null),
    way(tensor, "buffer = a small one", (t, { buffer }) => t.buffer = buffer),
  ]);
}

function views(): Way[] {
  const tensors: readonly Name[] = ["a", "view", "sum", "part"];
  return tensors.flatMap((tensor) => [
    way(tensor, "view_src = null", (t) => t.view_src = null),
    way(tensor, "view_src = a small one", (t, { small }) => t.view_src = small),
    way(tensor, "view_src = itself", (t) => t.view_src = t),
    way(tensor, "view_src = b", (t, { b }) => t.view_src = b),
    way(tensor, "view_offs = 64", (t) => t.view_offs = 64),
    way(tensor, "view_offs = 2^40", (t) => t.view_offs = 2 ** 40),
    way(tensor, "flags = 0", (t) => t.flags = 0),
    way(tensor, "flags = -1", (t) => t.flags = -1),
  ]);
}

function parameters(): Way[] {
  const tensors: readonly Name[] = ["sum", "rotated", "part", "view"];
  return tensors.flatMap((tensor) => [
    way(tensor, "op_params = 0", (t) => t.op_params = new Int32Array(16)),
    way(tensor, "op_params = -1", (t) => t.op_params = new Int32Array(16).fill(-1)),
    way(tensor, "op_params = 2^31 - 1", (t) => t.op_params = new Int32Array(16).fill(2 ** 31 - 1)),
    way(tensor, "op_params[1] = 0", (t) => t.op_params[1] = 0),
    way(tensor, "op_params[0] = 10", (t) => t.op_params[0] = 10),
    way(tensor, "name = too long", (t) => t.name = "n".repeat(200)),
  ]);
}
