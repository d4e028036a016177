/**
 * The process that tries files on C's reader, and may die of one.
 *
 *     deno run -A tests/fuzz/gguf_child.ts SEED FROM TO PATH
 *
 * It writes each file to PATH and prints its number and what `gguf_init_from_file` did: see {@linkcode Verdict}.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { onLog } from "@ggml/deno/utils";
import { openByC, type TensorFacts, tensorsOf } from "../utils/gguf/c_reader.ts";
import { caseOf } from "./gguf_cases.ts";

/** What C makes of a file. */
export type Verdict =
  | "refused"
  /** It is read, and so is the tensors' data. */
  | "accepted"
  /** It is read, but not with its data, though all of that is there. */
  | "not loaded"
  /** It is read, but data is beyond its end. */
  | "beyond"
  /** It is read, but there are more elements than can be counted. */
  | "uncountable";

if (import.meta.main) {
  const [seed, from, to] = Deno.args.slice(0, 3).map(Number), path = Deno.args[3];
  onLog(() => {});
  for (let i = from; i < to; i++) {
    const bytes = caseOf(seed, i);
    Deno.writeFileSync(path, bytes);
    Deno.stdout.writeSync(new TextEncoder().encode(`${i} ${judge(path, bytes.length)}\n`));
  }
  Deno.exit(0);
}

function judge(path: string, size: number): Verdict {
  using ctx = openByC(path);
  if (ctx === null) return "refused";
  if (dimensions(ctx).some(isUncountable)) return "uncountable";
  const tensors = tensorsIn(ctx);
  if (tensors === null) return "beyond";
  const ends = tensors.map(({ offset, byteLength }) => offset + byteLength);
  if (ends.some((end) => end > size)) return "beyond";
  const alignment = lib.gguf_get_alignment(ctx), start = lib.gguf_get_data_offset(ctx);
  const padded = tensors.length === 0 ? size : start + Math.ceil((ends.at(-1)! - start) / alignment) * alignment;
  return loads(path) === (padded <= size) ? "accepted" : "not loaded";
}

/** The tensors; null if the size of one is beyond 2^53. */
function tensorsIn(ctx: lib.gguf_context): TensorFacts[] | null {
  try {
    return tensorsOf(ctx);
  } catch (error) {
    if (error instanceof RangeError && typeof error.cause === "bigint") return null;
    throw error;
  }
}

function dimensions(ctx: lib.gguf_context): bigint[][] {
  return Array.from({ length: lib.gguf_get_n_tensors(ctx) }, (_, id) => {
    return [...new BigInt64Array(lib.gguf_get_tensor_ne(ctx, id).bytes(32).slice().buffer)];
  });
}

function isUncountable(ne: bigint[]): boolean {
  return ne.some((n) => n > Number.MAX_SAFE_INTEGER) || ne.reduce((a, b) => a * b) >= 2n ** 63n;
}

/** Whether C reads the tensors' data, too. */
function loads(path: string): boolean {
  const made = new BigUint64Array(1);
  using gguf = lib.gguf_init_from_file(path, new lib.gguf_init_params({ no_alloc: false, ctx: made }));
  if (gguf === null) return false;
  lib.ggml_free(lib.ggml_context.from(made[0]));
  return true;
}
