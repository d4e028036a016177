/**
 * Buffers that hold weights in the order in which a processor's fastest kernels read them, such as `CPU_REPACK`: which of them a device
 * takes a weight in.
 *
 * A tensor there can only be written as a whole, and is good for nothing but being the first source of `ggml_mul_mat`.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import type { WeightsEntry } from "./file.ts";

/** Bytes of a pointer. */
const POINTER = 8;

/** Columns of the matrix that is multiplied by in the question to the device, as many as a batch has. */
const COLUMNS = 512;

/** Chooses a device's own kind of buffer for weights. */
export class Repacker {
  readonly #device: lib.ggml_backend_device;
  readonly #types: readonly lib.ggml_backend_buffer_type[];
  /** The answers, by type and shape: a model has many of the same. */
  readonly #known: Map<string, lib.ggml_backend_buffer_type | null> = new Map();

  constructor(device: lib.ggml_backend_device) {
    this.#device = device;
    this.#types = extraTypes(device);
  }

  /** The kind of buffer in which the device multiplies by such a matrix; null if it has none for it. */
  typeFor({ type, ne }: WeightsEntry): lib.ggml_backend_buffer_type | null {
    const [columns, rows, ...others] = ne;
    if (this.#types.length === 0 || type === null || rows === undefined || others.some((n) => n !== 1)) return null;
    const key = `${type} ${columns} ${rows}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#types.find((candidate) => takes(this.#device, candidate, type, columns, rows)) ?? null;
      this.#known.set(key, found);
    }
    return found;
  }
}

/** What `ggml_backend_dev_get_extra_bufts` lists, up to a null pointer. */
export function extraTypes(device: lib.ggml_backend_device): lib.ggml_backend_buffer_type[] {
  const registry = lib.ggml_backend_dev_backend_reg(device);
  const address = registry === null ? null : lib.ggml_backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts");
  if (address === null) return [];
  const list = new lib.ggml_backend_dev_get_extra_bufts_t(address.address).call(device);
  const types: lib.ggml_backend_buffer_type[] = [];
  for (let at = 0n; list !== null; at += BigInt(POINTER)) {
    const address = new Deno.UnsafePointerView(list.pointer).getBigUint64(Number(at));
    const type = lib.ggml_backend_buffer_type.from(address);
    if (type === null) break;
    types.push(type);
  }
  return types;
}

/** Columns of which AMX's kernel computes nothing for many rows, whatever the device says. */
const TOO_SHORT = 32;

/** Asks the device whether it computes a product with a weight in such a buffer. The buffer of no bytes only says the kind. */
function takes(
  device: lib.ggml_backend_device,
  candidate: lib.ggml_backend_buffer_type,
  type: lib.ggml_type,
  columns: number,
  rows: number,
): boolean {
  if (columns <= TOO_SHORT && lib.ggml_backend_buft_name(candidate) === "AMX") return false;
  using ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 4 * lib.ggml_tensor_overhead(), no_alloc: true }));
  using buffer = lib.ggml_backend_buft_alloc_buffer(candidate, 0);
  if (buffer === null) return false;
  const weight = lib.ggml_new_tensor_2d(ctx, type, columns, rows);
  const product = lib.ggml_mul_mat(ctx, weight, lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, columns, COLUMNS));
  weight.buffer = buffer;
  const answer = lib.ggml_backend_dev_supports_op(device, product);
  weight.buffer = null;
  return answer;
}
