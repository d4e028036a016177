/**
 * Checks of a tensor's elements one by one: C's getters and setters look at no index, and its fillers at no stride. As cheap as can be: they come
 * before every element.
 *
 * @module
 */

import { expectIndex, type Int, type Lib, type Tensor } from "./say.ts";
import { traitsOf } from "./types.ts";

function expectElement(lib: Lib, name: string, tensor: Tensor, i: Int): void {
  const count = lib.ggml_nelements(tensor);
  if (i >= 0 && i < count) return;
  expectIndex(`${name}(i)`, i, count, "element");
}

function expectElementAt(name: string, { ne }: Tensor, i0: Int, i1: Int, i2: Int, i3: Int): void {
  if (i0 >= 0 && i0 < ne[0] && i1 >= 0 && i1 < ne[1] && i2 >= 0 && i2 < ne[2] && i3 >= 0 && i3 < ne[3]) return;
  expectIndex(`${name}(i0)`, i0, ne[0], "element");
  expectIndex(`${name}(i1)`, i1, ne[1], "row");
  expectIndex(`${name}(i2)`, i2, ne[2], "matrix");
  expectIndex(`${name}(i3)`, i3, ne[3], "block of matrices");
}

/** C writes the n-th row at n strides, its elements side by side; and where there is no memory, at the row's offset. */
function expectFillable(name: string, tensor: Tensor): void {
  const { ne, nb, type } = tensor;
  if (tensor.data === null && !ne.includes(0)) throw new Error(`${name}(tensor): the tensor has no memory: it was not allocated`);
  const isEven = nb[0] === traitsOf(type).size && (ne[2] === 1 || nb[2] === nb[1] * ne[1]) && (ne[3] === 1 || nb[3] === nb[2] * ne[2]);
  if (isEven) return;
  throw new Error(`${name}(tensor): expected rows one after the other, with elements next to each other, got nb=[${nb.join(", ")}]`);
}

/** Of ggml-cpu.h. */
export const elements = {
  ggml_set_i32(_lib: Lib, tensor: Tensor): void {
    expectFillable("ggml_set_i32", tensor);
  },
  ggml_set_f32(_lib: Lib, tensor: Tensor): void {
    expectFillable("ggml_set_f32", tensor);
  },
  ggml_get_i32_1d(lib: Lib, tensor: Tensor, i: Int): void {
    expectElement(lib, "ggml_get_i32_1d", tensor, i);
  },
  ggml_set_i32_1d(lib: Lib, tensor: Tensor, i: Int): void {
    expectElement(lib, "ggml_set_i32_1d", tensor, i);
  },
  ggml_get_f32_1d(lib: Lib, tensor: Tensor, i: Int): void {
    expectElement(lib, "ggml_get_f32_1d", tensor, i);
  },
  ggml_set_f32_1d(lib: Lib, tensor: Tensor, i: Int): void {
    expectElement(lib, "ggml_set_f32_1d", tensor, i);
  },
  ggml_get_i32_nd(_lib: Lib, tensor: Tensor, i0: Int, i1: Int, i2: Int, i3: Int): void {
    expectElementAt("ggml_get_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_i32_nd(_lib: Lib, tensor: Tensor, i0: Int, i1: Int, i2: Int, i3: Int): void {
    expectElementAt("ggml_set_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_get_f32_nd(_lib: Lib, tensor: Tensor, i0: Int, i1: Int, i2: Int, i3: Int): void {
    expectElementAt("ggml_get_f32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_f32_nd(_lib: Lib, tensor: Tensor, i0: Int, i1: Int, i2: Int, i3: Int): void {
    expectElementAt("ggml_set_f32_nd", tensor, i0, i1, i2, i3);
  },
};
