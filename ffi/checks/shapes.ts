/**
 * Checks of dimensions and strides that a caller gives: C multiplies them as they are, and what comes out wraps around. It asserts that a view's
 * elements, if they lay side by side, would fit into its source, and nothing of its strides.
 *
 * @module
 */

import { expectMultiple, type Int, type Lib, type Tensor } from "./say.ts";
import { traitsOf, typeName } from "./types.ts";

/** What sizes may come to, in bytes and in elements: beyond, a number isn't exact. */
const MOST = Number.MAX_SAFE_INTEGER;

/** A new tensor: its dimensions are not negative, its bytes can be counted, its rows are whole blocks. */
function expectSizes(where: string, type: number, ne: readonly Int[], nameOf = (i: number) => `(ne${i})`): void {
  const { size, block } = traitsOf(type);
  let elements = 1;
  for (let i = 0; i < ne.length; i++) {
    if (ne[i] < 0) throw new RangeError(`${where}${nameOf(i)}: expected at least 0, got ${ne[i]}`);
    elements *= Math.max(1, Number(ne[i]));
  }
  if (elements * size > MOST) throw new RangeError(`${where}: ${typeName(type)} ne=[${ne.join(", ")}] has more than 2^53 bytes`);
  if (block > 1) expectMultiple(`${where}${nameOf(0)}`, ne[0], block, `the block size of ${typeName(type)}`);
}

/** Another shape of a tensor's elements: C asserts that there are as many. */
function expectNotNegative(where: string, ne: readonly Int[]): void {
  const i = ne.findIndex((n) => n < 0);
  if (i >= 0) throw new RangeError(`${where}(ne${i}): expected at least 0, got ${ne[i]}`);
}

/** The same of what is stored as it is: its rows are whole blocks. */
function expectShape(where: string, { type }: Tensor, ne: readonly Int[]): void {
  expectNotNegative(where, ne);
  const { block } = traitsOf(type);
  if (block > 1) expectMultiple(`${where}(ne0)`, ne[0], block, `the block size of ${typeName(type)}`);
}

/** A view: it ends where its source ends, or before. */
function expectInside(lib: Lib, where: string, a: Tensor, ne: readonly Int[], nb: readonly Int[], offset: Int): void {
  expectShape(where, a, ne);
  const { size, block } = traitsOf(a.type);
  if (ne.some((n) => Number(n) === 0)) return;
  let end = Number(offset) + Number(ne[0]) / block * size;
  for (let i = 1; i < ne.length; i++) end += (Number(ne[i]) - 1) * Number(nb[i - 1]);
  if (end <= lib.ggml_nbytes(a)) return;
  const root = a.view_src;
  const start = root === null ? 0 : a.view_offs, bytes = lib.ggml_nbytes(root ?? a);
  if (start + end <= bytes) return;
  throw new RangeError(`${where}: expected a view within the ${bytes} bytes of what it is of, got one that ends at ${start + end}`);
}

/** Of ggml.h. */
export const shapes = {
  ggml_new_tensor(_lib: Lib, _ctx: unknown, type: number, n_dims: number, ne: unknown): void {
    if (!(ne instanceof BigInt64Array) || n_dims < 1) return;
    expectSizes("ggml_new_tensor", type, [...ne.subarray(0, Math.min(n_dims, 4))], (i) => `(ne)[${i}]`);
  },
  ggml_new_tensor_1d(_lib: Lib, _ctx: unknown, type: number, ne0: Int): void {
    expectSizes("ggml_new_tensor_1d", type, [ne0]);
  },
  ggml_new_tensor_2d(_lib: Lib, _ctx: unknown, type: number, ne0: Int, ne1: Int): void {
    expectSizes("ggml_new_tensor_2d", type, [ne0, ne1]);
  },
  ggml_new_tensor_3d(_lib: Lib, _ctx: unknown, type: number, ne0: Int, ne1: Int, ne2: Int): void {
    expectSizes("ggml_new_tensor_3d", type, [ne0, ne1, ne2]);
  },
  ggml_new_tensor_4d(_lib: Lib, _ctx: unknown, type: number, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectSizes("ggml_new_tensor_4d", type, [ne0, ne1, ne2, ne3]);
  },
  ggml_view_1d(lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, offset: Int): void {
    expectInside(lib, "ggml_view_1d", a, [ne0], [], offset);
  },
  ggml_view_2d(lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, nb1: Int, offset: Int): void {
    expectInside(lib, "ggml_view_2d", a, [ne0, ne1], [nb1], offset);
  },
  ggml_view_3d(lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, nb1: Int, nb2: Int, offset: Int): void {
    expectInside(lib, "ggml_view_3d", a, [ne0, ne1, ne2], [nb1, nb2], offset);
  },
  ggml_view_4d(
    lib: Lib,
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
    expectInside(lib, "ggml_view_4d", a, [ne0, ne1, ne2, ne3], [nb1, nb2, nb3], offset);
  },
  ggml_reshape(_lib: Lib, _ctx: unknown, a: Tensor, b: Tensor): void {
    const { block } = traitsOf(a.type);
    if (block > 1) expectMultiple("ggml_reshape(b)", b.ne[0], block, `the block size of ${typeName(a.type)}`);
  },
  ggml_reshape_2d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int): void {
    expectShape("ggml_reshape_2d", a, [ne0, ne1]);
  },
  ggml_reshape_3d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int): void {
    expectShape("ggml_reshape_3d", a, [ne0, ne1, ne2]);
  },
  ggml_reshape_4d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectShape("ggml_reshape_4d", a, [ne0, ne1, ne2, ne3]);
  },
  ggml_cont_2d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int): void {
    expectShape("ggml_cont_2d", a, [ne0, ne1]);
  },
  ggml_cont_3d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int): void {
    expectShape("ggml_cont_3d", a, [ne0, ne1, ne2]);
  },
  ggml_cont_4d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectShape("ggml_cont_4d", a, [ne0, ne1, ne2, ne3]);
  },
  ggml_repeat_4d(_lib: Lib, _ctx: unknown, a: Tensor, ne0: Int, ne1: Int, ne2: Int, ne3: Int): void {
    expectSizes("ggml_repeat_4d", a.type, [ne0, ne1, ne2, ne3]);
  },
};
