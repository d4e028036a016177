/**
 * Checks of tensors in a backend's buffers: C adds offsets to sizes and compares the sum, which may have overflowed.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import type { lib as generated } from "../../generated/lib.js";
import { orderAround } from "../rearranged.ts";
import { addressOfData } from "./pointers.ts";
import type { Int, Lib, Tensor } from "./say.ts";

/** Half of what a `size_t` holds: sums below it don't overflow, and C compares them with the tensor's bytes. */
const MOST = 2 ** 63;

/** `copies` pieces of `size` bytes, `stride` apart. */
function expectEnd(name: string, offset: Int, size: Int, copies: Int = 1, stride: Int = 0): void {
  const end = Number(offset) + (Number(copies) - 1) * Number(stride) + Number(size);
  if (end < MOST) return;
  throw new RangeError(`${name}(offset): expected to end within the tensor, got an end at byte ${end}`);
}

/** A tensor that was put into a buffer has a place there: of the source of a copy C doesn't ask that. */
function expectData(name: string, src: Tensor): void {
  if (src.buffer === null || src.data !== null || src.ne.includes(0)) return;
  throw new Error(`${name}(src): the tensor has a buffer, and no data in it`);
}

/**
 * C writes the bytes of a view at the place that they would have in the type's own order, and of such buffers knows no other way to write a part, or
 * one byte everywhere.
 */
function expectWhole(lib: Lib, name: string, { address, type, view_src }: Tensor, isPart: boolean = view_src !== null): void {
  if (!isPart || !lib.ggml_is_quantized(type)) return;
  const kind = orderAround(address);
  if (kind === "") return;
  throw new Error(
    `${name}(tensor): a buffer of ${kind} has quantized weights in an order of its own: expected a whole tensor's data, got ${
      view_src === null ? "a byte" : "a view"
    }`,
  );
}

/** Checks of functions of ggml-backend.h. */
export const buffers = {
  ggml_backend_tensor_set(lib: Lib, tensor: Tensor, _data: unknown, offset: Int, size: Int): void {
    expectEnd("ggml_backend_tensor_set", offset, size);
    expectWhole(lib, "ggml_backend_tensor_set", tensor);
  },
  ggml_backend_tensor_get(_: unknown, _tensor: unknown, _data: unknown, offset: Int, size: Int): void {
    expectEnd("ggml_backend_tensor_get", offset, size);
  },
  ggml_backend_tensor_set_async(lib: Lib, _backend: unknown, tensor: Tensor, _data: unknown, offset: Int, size: Int): void {
    expectEnd("ggml_backend_tensor_set_async", offset, size);
    expectWhole(lib, "ggml_backend_tensor_set_async", tensor);
  },
  ggml_backend_tensor_get_async(_: unknown, _backend: unknown, _tensor: unknown, _data: unknown, offset: Int, size: Int): void {
    expectEnd("ggml_backend_tensor_get_async", offset, size);
  },
  ggml_backend_tensor_set_2d(lib: Lib, tensor: Tensor, _data: unknown, offset: Int, size: Int, n_copies: Int, stride: Int): void {
    expectEnd("ggml_backend_tensor_set_2d", offset, size, n_copies, stride);
    expectWhole(lib, "ggml_backend_tensor_set_2d", tensor);
  },
  ggml_backend_tensor_get_2d(_: unknown, _tensor: unknown, _data: unknown, offset: Int, size: Int, n_copies: Int, stride: Int): void {
    expectEnd("ggml_backend_tensor_get_2d", offset, size, n_copies, stride);
  },
  ggml_backend_tensor_set_2d_async(
    lib: Lib,
    _backend: unknown,
    tensor: Tensor,
    _data: unknown,
    offset: Int,
    size: Int,
    n_copies: Int,
    stride: Int,
  ): void {
    expectEnd("ggml_backend_tensor_set_2d_async", offset, size, n_copies, stride);
    expectWhole(lib, "ggml_backend_tensor_set_2d_async", tensor);
  },
  ggml_backend_tensor_get_2d_async(
    _: unknown,
    _backend: unknown,
    _tensor: unknown,
    _data: unknown,
    offset: Int,
    size: Int,
    n_copies: Int,
    stride: Int,
  ): void {
    expectEnd("ggml_backend_tensor_get_2d_async", offset, size, n_copies, stride);
  },
  ggml_backend_tensor_memset(lib: Lib, tensor: Tensor, _value: number, offset: Int, size: Int): void {
    expectEnd("ggml_backend_tensor_memset", offset, size);
    expectWhole(lib, "ggml_backend_tensor_memset", tensor, true);
  },
  /** C sets each byte from the first number to the last, whosever are between them. */
  ggml_set_zero(lib: Lib, tensor: Tensor): void {
    expectWhole(lib, "ggml_set_zero", tensor, true);
    const { type, ne } = tensor, own = lib.ggml_row_size(type, ne[0]) * ne[1] * ne[2] * ne[3], all = lib.ggml_nbytes(tensor);
    if (all <= own) return;
    throw new Error(`ggml_set_zero(tensor): expected numbers without others between them, got ${own} bytes among ${all}`);
  },
  /** C adds the tensor's bytes to the address. */
  ggml_backend_tensor_alloc(lib: Lib, buffer: generated.ggml_backend_buffer, _tensor: unknown, addr: Data): void {
    const base = lib.ggml_backend_buffer_get_base(buffer)?.address ?? 0n, size = lib.ggml_backend_buffer_get_size(buffer);
    const offset = addressOfData(addr) - base;
    if (offset <= size) return;
    throw new RangeError(
      `ggml_backend_tensor_alloc(addr): expected an address within the buffer's ${size} bytes, got one at byte ${offset}`,
    );
  },
  ggml_backend_tensor_copy(_: unknown, src: Tensor): void {
    expectData("ggml_backend_tensor_copy", src);
  },
  ggml_backend_tensor_copy_async(_: unknown, _src: unknown, _dst: unknown, src: Tensor): void {
    expectData("ggml_backend_tensor_copy_async", src);
  },
};
