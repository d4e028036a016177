/**
 * Checks of shapes: of tensors that are made, and of views and other shapes of those that there are.
 *
 * C multiplies sizes without a look whether they are negative, overflow or leave a rest, and of a view it checks the bytes of as many contiguous
 * elements, not those that its strides reach.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { memory } from "../../core/handle.ts";
import { fromUint64, readAddress, readUint64 } from "../../core/integers.ts";
import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { tensorText } from "../../load/tensor_text.ts";
import { addressOfData } from "./pointers.ts";
import { expectBetween, expectMultiple, type Int, type Tensor } from "./say.ts";
import { traitsOf, typeName } from "./types.ts";

const { fields } = ABI.records.ggml_tensor;

/** What a tensor may have: from 2^63 on C's arithmetic overflows, and nobody has as much. */
export const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * A shape that a tensor of a type may have. With others C makes a tensor that says it has more elements than there is memory for, or rows that
 * end in the middle of a block.
 */
function expectShape(name: string, type: number, ne0: Int, ne1: Int, ne2: Int, ne3: Int, inArray = false): void {
  const { block, size } = traitsOf(type);
  const [a, b, c, d] = [Number(ne0), Number(ne1), Number(ne2), Number(ne3)];
  if (a >= 0 && b >= 0 && c >= 0 && d >= 0 && a % block === 0) {
    if (Math.max(a / block, 1) * size * Math.max(b, 1) * Math.max(c, 1) * Math.max(d, 1) <= MOST_BYTES) return;
    throw new RangeError(`${name}: ${typeName(type)} ne=[${[a, b, c, d].join(", ")}] would take more than 2^53 bytes`);
  }
  if (block === 0) return; // no type, which C asserts
  const place = (i: number) => inArray ? `${name}(ne)[${i}]` : `${name}(ne${i})`;
  [a, b, c, d].forEach((count, i) => expectBetween(place(i), count, 0, Infinity));
  expectMultiple(place(0), a, block, `the block size of ${typeName(type)}`);
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
function expectView(name: string, a: Tensor, ne: readonly Int[], strides: readonly Int[], offset: Int): void {
  const [ne0, ne1, ne2, ne3] = ne, type = typeOf(a);
  expectShape(name, type, ne0, ne1, ne2, ne3);
  const begin = Number(offset);
  if (begin > MOST_BYTES) throw new RangeError(`${name}(offset): expected an offset within a, got ${offset}`);
  const { block, size } = traitsOf(type);
  let contiguous = Number(ne0) / block * size, length = contiguous, isContiguous = true;
  for (let i = 0; i < strides.length; i++) {
    const count = Number(ne[i + 1]), stride = Number(strides[i]);
    if (count === 0) return;
    if (count > 1 && stride !== contiguous) isContiguous = false;
    length += (count - 1) * stride;
    contiguous *= count;
  }
  if (isContiguous || length === 0) return;
  const source = sourceOf(a), end = source.offset + begin + length;
  if (end <= source.bytes) return;
  throw new RangeError(
    `${name}: the view would end at byte ${end} of ${source.bytes}: ne=[${ne.join(", ")}], its strides ${strides.join(", ")}, ` +
      `its offset ${source.offset + begin}; a is ${tensorText(library(), a.address)}`,
  );
}

function typeOf(tensor: Tensor): number {
  return memory(tensor).getUint32(tensor.$offset + fields.type, true);
}

let nbytes: ((tensor: bigint) => bigint) | null = null;

/** The bytes of the tensor that has a tensor's memory, and where in it that one begins. */
function sourceOf(tensor: Tensor): { readonly bytes: number; readonly offset: number } {
  nbytes ??= library().symbol("ggml_nbytes", { parameters: ["u64"], result: "u64" }) as (tensor: bigint) => bigint;
  const view = memory(tensor), source = readAddress(view, tensor.$offset + fields.view_src);
  if (source === 0n) return { bytes: fromUint64(nbytes(tensor.address)), offset: 0 };
  return { bytes: fromUint64(nbytes(source)), offset: readUint64(view, tensor.$offset + fields.view_offs) };
}

/** Checks of functions of ggml.h. */
export const shapes = {
  /** C multiplies and divides. */
  ggml_row_size(_: unknown, type: number, ne: Int): void {
    const { block, size } = traitsOf(type);
    if (block === 0) return; // no type, which has no bytes
    expectBetween("ggml_row_size(ne)", ne, 0, Math.floor(MOST_BYTES / size) * block);
    expectMultiple("ggml_row_size(ne)", Number(ne), block, `the block size of ${typeName(type)}`);
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
    const { block } = traitsOf(typeOf(a));
    if (block > 1) expectMultiple("ggml_reshape(b)", b.ne[0], block, `the block size of ${typeName(typeOf(a))}`);
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
    expectView("ggml_view_1d", a, [ne0, 1, 1, 1], [], offset);
  },
  ggml_view_2d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, nb1: Int, offset: Int): void {
    expectView("ggml_view_2d", a, [ne0, ne1, 1, 1], [nb1], offset);
  },
  ggml_view_3d(_: unknown, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, nb1: Int, nb2: Int, offset: Int): void {
    expectView("ggml_view_3d", a, [ne0, ne1, ne2, 1], [nb1, nb2], offset);
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
    expectView("ggml_view_4d", a, [ne0, ne1, ne2, ne3], [nb1, nb2, nb3], offset);
  },
};
