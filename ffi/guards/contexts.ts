/**
 * Guards of a context's memory, of the numbers in its tensors one by one, and of quantizing.
 *
 * By hand: whether there is memory is the allocator's answer, not a condition in ggml.c; C's getters and setters of elements (ggml-cpu.c) check
 * no index at all; and what can be quantized is decided by the numbers themselves.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import { typeTraits } from "../guard.ts";
import { Pointer } from "../handle.ts";
import type { lib as generated } from "../lib.js";
import { library } from "../library.ts";
import { expectQuantizable, isGridType } from "../quantizable.ts";
import { between, ensure, indexOf, type Int, type Lib, multiple, show, type Tensor } from "./checks.ts";

/** `GGML_OBJECT_SIZE`: what a context's memory takes for each thing in it besides the thing itself. */
export const OBJECT_SIZE = 32;
/** From here on memory may not be had; less is not worth asking for. */
const LARGE = 2 ** 28;

type Allocate = (size: bigint) => Deno.PointerValue;
type Free = (memory: Deno.PointerValue, size: bigint) => void;

/** Room in a context's memory for `bytes` more. */
export function room(lib: Lib, where: string, ctx: generated.ggml_context, bytes: number): void {
  const free = lib.ggml_get_mem_size(ctx) - lib.ggml_used_mem(ctx);
  ensure(bytes <= free, () => `${where}: not enough memory in the context: ${bytes} bytes are needed, ${free} are free`);
}

/** The bytes of an element that C's getters and setters know, 0 for any other type. */
function elementSize(lib: Lib, type: generated.ggml_type): number {
  switch (type) {
    case lib.GGML_TYPE_I8:
      return 1;
    case lib.GGML_TYPE_I16:
    case lib.GGML_TYPE_F16:
    case lib.GGML_TYPE_BF16:
      return 2;
    case lib.GGML_TYPE_I32:
    case lib.GGML_TYPE_F32:
      return 4;
    default:
      return 0;
  }
}

/** A tensor that the CPU can read and write by element; gives the bytes of one. As cheap as can be: it comes before every element. */
function elementwise(lib: Lib, name: string, tensor: Tensor): number {
  const size = elementSize(lib, tensor.type), { buffer } = tensor;
  if (size === 0) throw new Error(`${name}(tensor): expected i8, i16, i32, f16, bf16 or f32, got ${show(lib, tensor)}`);
  if (tensor.data === null) throw new Error(`${name}(tensor): the tensor was not allocated: ${show(lib, tensor)}`);
  if (buffer !== null && !lib.ggml_backend_buffer_is_host(buffer)) {
    throw new Error(`${name}(tensor): the tensor is in a device's memory: ${show(lib, tensor)}`);
  }
  return size;
}

/** A tensor whose elements C sets row by row. */
function fill(lib: Lib, name: string, tensor: Tensor): void {
  const size = elementwise(lib, name, tensor), [nb0] = tensor.nb;
  const say = () => `${name}(tensor): expected elements of a row next to each other, got nb[0]=${nb0}: ${show(lib, tensor)}`;
  ensure(nb0 === size, say);
}

/** An element by its number. What an error says is put together only for an error: that costs more than the check. */
function element1d(lib: Lib, name: string, tensor: Tensor, i: number): void {
  elementwise(lib, name, tensor);
  const count = lib.ggml_nelements(tensor);
  if (i >= 0 && i < count) return;
  indexOf(`${name}(i)`, i, count, "element");
}

/** An element by its four indices. */
function elementNd(lib: Lib, name: string, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
  elementwise(lib, name, tensor);
  const { ne } = tensor;
  if (i0 >= 0 && i0 < ne[0] && i1 >= 0 && i1 < ne[1] && i2 >= 0 && i2 < ne[2] && i3 >= 0 && i3 < ne[3]) return;
  indexOf(`${name}(i0)`, i0, ne[0], "element");
  indexOf(`${name}(i1)`, i1, ne[1], "row");
  indexOf(`${name}(i2)`, i2, ne[2], "matrix");
  indexOf(`${name}(i3)`, i3, ne[3], "block of matrices");
}

/** A context with room for a tensor of one number. */
function scalar(lib: Lib, name: string, ctx: generated.ggml_context): void {
  ensure(!lib.ggml_get_no_alloc(ctx), () => `${name}(ctx): the context was made with no_alloc: a number needs memory`);
  room(lib, `${name}(ctx)`, ctx, lib.ggml_tensor.size + OBJECT_SIZE + 16);
}

/** Floats that an argument points to, which may begin anywhere. */
function floatsIn(data: Data, start: number, count: number): Float32Array {
  const bytes = data instanceof Pointer
    ? data.bytes(4 * (start + count))
    : ArrayBuffer.isView(data)
    ? data
    : new Uint8Array(data as ArrayBuffer);
  const at = bytes.byteOffset + 4 * start;
  return new Float32Array(bytes.buffer.slice(at, at + 4 * count) as ArrayBuffer);
}

/** Of ggml.h and ggml-cpu.h. */
export const contexts = {
  ggml_init(_lib: Lib, { mem_size, mem_buffer }: generated.ggml_init_params) {
    if (mem_buffer !== null || mem_size < LARGE) return;
    // C asserts that there is so much; the allocator says so itself, and takes nothing before it is written to.
    const allocate = library().find("ggml_aligned_malloc", { parameters: ["usize"], result: "pointer" }) as Allocate | undefined;
    const free = library().find("ggml_aligned_free", { parameters: ["pointer", "usize"], result: "void" }) as Free | undefined;
    if (allocate === undefined || free === undefined) return;
    const memory = allocate(BigInt(mem_size));
    if (memory === null) throw new RangeError(`ggml_init(params): there is no memory for mem_size ${mem_size}`);
    free(memory, BigInt(mem_size));
  },
  ggml_new_i32(lib: Lib, ctx: generated.ggml_context) {
    scalar(lib, "ggml_new_i32", ctx);
  },
  ggml_new_f32(lib: Lib, ctx: generated.ggml_context) {
    scalar(lib, "ggml_new_f32", ctx);
  },
  ggml_set_i32(lib: Lib, tensor: Tensor) {
    fill(lib, "ggml_set_i32", tensor);
  },
  ggml_set_f32(lib: Lib, tensor: Tensor) {
    fill(lib, "ggml_set_f32", tensor);
  },
  ggml_get_i32_1d(lib: Lib, tensor: Tensor, i: number) {
    element1d(lib, "ggml_get_i32_1d", tensor, i);
  },
  ggml_set_i32_1d(lib: Lib, tensor: Tensor, i: number) {
    element1d(lib, "ggml_set_i32_1d", tensor, i);
  },
  ggml_get_f32_1d(lib: Lib, tensor: Tensor, i: number) {
    element1d(lib, "ggml_get_f32_1d", tensor, i);
  },
  ggml_set_f32_1d(lib: Lib, tensor: Tensor, i: number) {
    element1d(lib, "ggml_set_f32_1d", tensor, i);
  },
  ggml_get_i32_nd(lib: Lib, tensor: Tensor, i0: number, i1: number, i2: number, i3: number) {
    elementNd(lib, "ggml_get_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_i32_nd(lib: Lib, tensor: Tensor, i0: number, i1: number, i2: number, i3: number) {
    elementNd(lib, "ggml_set_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_get_f32_nd(lib: Lib, tensor: Tensor, i0: number, i1: number, i2: number, i3: number) {
    elementNd(lib, "ggml_get_f32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_f32_nd(lib: Lib, tensor: Tensor, i0: number, i1: number, i2: number, i3: number) {
    elementNd(lib, "ggml_set_f32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_quantize_chunk(
    lib: Lib,
    type: generated.ggml_type,
    src: Data,
    _dst: Data,
    start: Int,
    nrows: Int,
    n_per_row: Int,
    imatrix: Data | null,
  ) {
    const { is_quantized, to_float, from_float_ref } = typeTraits(type);
    const needsImatrix = is_quantized && lib.ggml_quantize_requires_imatrix(type);
    if (type !== lib.GGML_TYPE_F32 && (to_float === null || (from_float_ref === null && !needsImatrix && !is_quantized))) {
      throw new TypeError(`ggml_quantize_chunk(type): ggml can't quantize to ${lib.ggml_type_name(type)}`);
    }
    if (needsImatrix && imatrix === null) {
      throw new TypeError(
        `ggml_quantize_chunk(imatrix): ${lib.ggml_type_name(type)} can't be quantized to without an importance matrix, got null`,
      );
    }
    between("ggml_quantize_chunk(nrows)", nrows, 0, Infinity);
    between("ggml_quantize_chunk(n_per_row)", n_per_row, 1, Infinity);
    const block = lib.ggml_blck_size(type);
    multiple("ggml_quantize_chunk(n_per_row)", n_per_row, block, `the block of ${lib.ggml_type_name(type)}`);
    multiple("ggml_quantize_chunk(start)", start, Number(n_per_row), "n_per_row");
    const name = lib.ggml_type_name(type)!, rowLength = Number(n_per_row);
    if (!isGridType(name)) return;
    const weights = imatrix === null ? null : floatsIn(imatrix, 0, rowLength);
    expectQuantizable(name, floatsIn(src, Number(start), Number(nrows) * rowLength), weights, "ggml_quantize_chunk(src)");
  },
};
