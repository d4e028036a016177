/**
 * Checks of shapes: of tensors that are made, and of views and other shapes of those that there are.
 *
 * C multiplies sizes without a look whether they are negative, overflow or leave a rest, and of a view it checks the bytes of as many contiguous
 * elements, not those that its strides reach.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import type { AnyFunction } from "../../core/callback.ts";
import { memory } from "../../core/handle.ts";
import { fromUint64, readAddress, readUint64 } from "../../core/integers.ts";
import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { tensorText } from "../../load/tensor_text.ts";
import { addressOfData } from "./pointers.ts";
import { expectBetween, type Int, type Tensor } from "./say.ts";
import { expectBlocks, traitsOf, typeName } from "./types.ts";

const { fields } = ABI.records.ggml_tensor;

/** What a tensor may have: from 2^63 on C's arithmetic overflows, and nobody has as much. */
export const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * A shape that a tensor of a type may have. With others C makes a tensor that says it has more elements than there is memory for, or rows that
 * end in the middle of a block.
 */
function expectShape(name: string, type: number, ne0: Int, ne1: Int, ne2: Int, ne3: Int, inArray = false): void {
  const { block, size } = traitsOf(type);
  const a = Number(ne0), b = Number(ne1), c = Number(ne2), d = Number(ne3);
  if (a >= 0 && b >= 0 && c >= 0 && d >= 0 && a % block === 0) {
    if (Math.max(a / block, 1) * size * Math.max(b, 1) * Math.max(c, 1) * Math.max(d, 1) <= MOST_BYTES) return;
    throw new RangeError(`${name}: ${typeName(type)} ne=[${[a, b, c, d].join(", ")}] would take more than 2^53 bytes`);
  }
  if (block === 0) return; // no type, which C asserts
  const place = (i: number) => inArray ? `${name}(ne)[${i}]` : `${name}(ne${i})`;
  [a, b, c, d].forEach((count, i) => expectBetween(place(i), count, 0, Infinity));
  expectBlocks(place(0), a, type);
}

/** Another shape of a tensor's elements: C compares their number, which two negative sizes may give as well. */
function expectReshape(name: string, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
  expectShape(name, typeOf(a), ne0, ne1, ne2, ne3);
}

/**
 * A view: an offset that C can add sizes to without an overflow, and strides that stay within the tensor that has the memory.
 *
 * What is contiguous is C's to check.
 */
function expectView(
  name: string,
  a: Tensor,
  ne0: Int,
  ne1: Int,
  ne2: Int,
  ne3: Int,
  nb1: Int | null,
  nb2: Int | null,
  nb3: Int | null,
  offset: Int,
): void {
  const type = typeOf(a);
  expectShape(name, type, ne0, ne1, ne2, ne3);
  const begin = Number(offset);
  if (begin > MOST_BYTES) throw new RangeError(`${name}(offset): expected an offset within a, got ${offset}`);
  const { block, size } = traitsOf(type), row = Number(ne0) / block * size;
  const rows = Number(ne1), planes = Number(ne2), cubes = Number(ne3);
  const rowStride = Number(nb1), planeStride = Number(nb2), cubeStride = Number(nb3); // 0 for null
  if (rows === 0 || planes === 0 || cubes === 0) return;
  if (
    (rows === 1 || rowStride === row) && (planes === 1 || planeStride === row * rows) &&
    (cubes === 1 || cubeStride === row * rows * planes)
  ) return;
  const length = row + (rows - 1) * rowStride + (planes - 1) * planeStride + (cubes - 1) * cubeStride;
  if (length === 0) return;
  const source = sourceOf(a), end = source.offset + begin + length;
  if (end <= source.bytes) return;
  const ne = [ne0, ne1, ne2, ne3].join(", "), strides = [nb1, nb2, nb3].filter((stride) => stride !== null).join(", ");
  throw new RangeError(
    `${name}: the view would end at byte ${end} of ${source.bytes}: ne=[${ne}], its strides ${strides}, ` +
      `its offset ${source.offset + begin}; a is ${tensorText(library(), a.address)}`,
  );
}

function typeOf(tensor: Tensor): number {
  return memory(tensor).getUint32(tensor.$offset + fields.type, true);
}

/** The bytes of the tensor that has a tensor's memory, and where in it that one begins. */
function sourceOf(tensor: Tensor): { readonly bytes: number; readonly offset: number } {
  const view = memory(tensor), source = readAddress(view, tensor.$offset + fields.view_src);
  if (source === 0n) return { bytes: bytesOf(tensor.address), offset: 0 };
  return { bytes: bytesOf(source), offset: readUint64(view, tensor.$offset + fields.view_offs) };
}

let nbytes: AnyFunction | undefined, firstNbytes: AnyFunction | undefined;

/** `ggml_nbytes`, called at two places, as generated functions are (`isApart` of `Bind`). */
function bytesOf(tensor: bigint): number {
  const bytes: bigint = nbytes === undefined
    ? (firstNbytes ??= library().warming("ggml_nbytes", ["u64"], "u64", (bound) => nbytes = bound, true))(tensor)
    : nbytes(tensor);
  return fromUint64(bytes);
}

/** Checks of functions of ggml.h. */
export const shapes = {
  /** C multiplies and divides. */
  ggml_row_size(_: unknown, type: number, ne: Int): void {
    const { block, size } = traitsOf(type);
    if (block === 0) return; // no type, which has no bytes
    expectBetween("ggml_row_size(ne)", ne, 0, Math.floor(MOST_BYTES / size) * block);
    expectBlocks("ggml_row_size(ne)", ne, type);
  },
  ggml_new_tensor(_: unknown, _ctx: unknown, type: number, n_dims: number, ne: Data): void {
    if (!(n_dims >= 1 && n_dims <= 4)) return; // which C asserts
    const sizes = new BigInt64Array(
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(addressOfData(ne))!, 8 * n_dims),
    );
    expectShape("ggml_new_tensor", type, sizes[0], sizes[1] ?? 1, sizes[2] ?? 1, sizes[3] ?? 1, true);
  },
  ggml_new_tensor_1d(_: unknown, _ctx: unknown, type: number, ne0: Int): void {
    expectShape("ggml_new_tensor_1d", type, ne0, 1, 1, 1);
  },
  ggml_new_tensor_2d(_: unknown, _ctx: unknown, type: number, ne0: Int, ne1: Int): void {
    expectShape("ggml_new_tensor_2d", type, ne0, ne1, 1, 1);
  },
  ggml_new_tensor_3d(_: unknown, _ctx: unknown, type: number, ne0: Int, ne1: Int, ne2: Int): void {
    expectShape("ggml_new_tensor_3d", type, ne0, ne1, ne2, 1);
  },
  ggml_new_tensor_4d(_: unknown, _ctx: unknown, type: number, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectShape("ggml_new_tensor_4d", type, ne0, ne1, ne2, ne3);
  },
  ggml_reshape(_: unknown, _ctx: unknown, a: Tensor, b: Tensor): void {
    const type = typeOf(a);
    if (traitsOf(type).block > 1) expectBlocks("ggml_reshape(b)", b.ne[0], type);
  },
  ggml_reshape_2d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int): void {
    expectReshape("ggml_reshape_2d", a, ne0, ne1, 1, 1);
  },
  ggml_reshape_3d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int): void {
    expectReshape("ggml_reshape_3d", a, ne0, ne1, ne2, 1);
  },
  ggml_reshape_4d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectReshape("ggml_reshape_4d", a, ne0, ne1, ne2, ne3);
  },
  ggml_cont_2d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int): void {
    expectReshape("ggml_cont_2d", a, ne0, ne1, 1, 1);
  },
  ggml_cont_3d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int): void {
    expectReshape("ggml_cont_3d", a, ne0, ne1, ne2, 1);
  },
  ggml_cont_4d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectReshape("ggml_cont_4d", a, ne0, ne1, ne2, ne3);
  },
  ggml_repeat_4d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectReshape("ggml_repeat_4d", a, ne0, ne1, ne2, ne3);
  },
  ggml_view_1d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, offset: Int): void {
    expectView("ggml_view_1d", a, ne0, 1, 1, 1, null, null, null, offset);
  },
  ggml_view_2d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, nb1: Int, offset: Int): void {
    expectView("ggml_view_2d", a, ne0, ne1, 1, 1, nb1, null, null, offset);
  },
  ggml_view_3d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, nb1: Int, nb2: Int, offset: Int): void {
    expectView("ggml_view_3d", a, ne0, ne1, ne2, 1, nb1, nb2, null, offset);
  },
  ggml_view_4d(
    _: unknown,
    _ctx: unknown,
    a: Tensor,
    ne0: Int,
    ne1: Int,
    ne2: Int,
    ne3: Int,
    nb1: Int,
    nb2: Int,
    nb3: Int,
    offset: Int,
  ): void {
    expectView("ggml_view_4d", a, ne0, ne1, ne2, ne3, nb1, nb2, nb3, offset);
  },
};
