/**
 * What the CPU's kernels neither check nor survive, by operation: numbers taken for what they aren't (`kernels_numbers.ts`), reads and writes out of
 * bounds (`kernels_bounds.ts`), and here loops that never end, and failures of one thread alone while others wait for it inside the kernel.
 *
 * What a kernel asserts by itself isn't here: the trap makes an Error of it. Each entry says what C would do. They were found by `deno task
 * fuzz:compute`, `fuzz:kernels` and `asan`, which see to it that none is missing.
 *
 * @module
 */

import type { lib as generated } from "../../generated/lib.js";
import { bounds, takeEmpty } from "./kernels_bounds.ts";
import { numbers } from "./kernels_numbers.ts";
import { isContiguous } from "./layout.ts";
import type { Node } from "./node.ts";
import { numbersOf } from "./say.ts";
import { traitsOf, typeName } from "./types.ts";

/** The generated functions and enums, passed in: bindings of other headers number them in their own way. */
export type Lib = typeof generated;

/** Why a node can't be computed; null if it can. */
export type Check = (node: Node) => string | null;

/** An operation, and what is looked at. There may be several of one operation. */
export type Entry = readonly [number | undefined, Check];

/** The operations whose kernels are looked at. */
export interface Kernels {
  /** The operations that compute nothing. */
  readonly empty: ReadonlySet<number>;
  /** The operations that may have sources without elements. */
  readonly takeEmpty: ReadonlySet<number>;
  readonly table: ReadonlyMap<number, readonly Check[]>;
  /** Nodes that one thread computes right, and several don't. */
  readonly alone: ReadonlyMap<number, (node: Node) => boolean>;
}

const known = new WeakMap<Lib, Kernels>();

/** What is looked at with one set of bindings. */
export function kernelsOf(lib: Lib): Kernels {
  let kernels = known.get(lib);
  if (kernels === undefined) known.set(lib, kernels = makeKernels(lib));
  return kernels;
}

function makeKernels(lib: Lib): Kernels {
  const table = new Map<number, Check[]>();
  for (const [operation, check] of [...hangs(lib), ...numbers(lib, numbersOf(lib)), ...bounds(lib, numbersOf(lib))]) {
    if (operation === undefined) continue; // of another release
    const checks = table.get(operation);
    if (checks === undefined) table.set(operation, [check]);
    else checks.push(check);
  }
  return {
    empty: new Set([lib.GGML_OP_NONE, lib.GGML_OP_RESHAPE, lib.GGML_OP_VIEW, lib.GGML_OP_PERMUTE, lib.GGML_OP_TRANSPOSE]),
    takeEmpty: new Set(takeEmpty(numbersOf(lib))),
    table,
    alone: new Map([
      // Has memory for one thread to convert a row in, and each converts its own there, or behind it.
      [lib.GGML_OP_SET_ROWS, (node) => node.src(0)!.type === lib.GGML_TYPE_F16 && node.type !== lib.GGML_TYPE_F16],
    ]),
  };
}

function hangs(lib: Lib): Entry[] {
  return [
    // Loops for ever over what isn't rotated.
    [lib.GGML_OP_ROPE, rotated],
    [lib.GGML_OP_ROPE_BACK, rotated],
    // The compiler has put this kernel into the loop over nodes: what it asserts has a thread leave that, while others go on.
    [lib.GGML_OP_MUL_MAT_ID, (node) => {
      const [matrices, vectors] = [node.src(0)!, node.src(1)!];
      if (!traitsOf(matrices.type).dot) return `ggml can't multiply rows of ${typeName(matrices.type)}`;
      if (vectors.type !== lib.GGML_TYPE_F32) return "src[1] must be f32";
      const i = [matrices, vectors].findIndex(({ type, nb }) => nb[0] !== traitsOf(type).size);
      return i < 0 ? null : `src[${i}]: the elements of its rows must lie side by side`;
    }],
    // One thread looks whether they are contiguous, and the others wait for it for ever.
    [lib.GGML_OP_DIAG_MASK_INF, mask],
    [lib.GGML_OP_DIAG_MASK_ZERO, mask],
  ];
}

function rotated({ parameters: [, dimensions] }: Node): string | null {
  return dimensions >= 2 ? null : `n_dims is ${dimensions}, and must be at least 2`;
}

function mask(node: Node): string | null {
  if (node.view !== null) return null;
  return isContiguous(node) && isContiguous(node.src(0)!) ? null : "it must be contiguous";
}
