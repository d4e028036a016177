/**
 * Checks of the numbers in a tensor, one by one: C's getters and setters (ggml-cpu.c) look at no index, and not at where the numbers are.
 *
 * They come before every element. So they read the tensor's fields from its memory, without an object for any, and put together what an Error
 * says only for an Error.
 *
 * @module
 */

import { memory } from "../../core/handle.ts";
import { readAddress, readInt64, readUint64 } from "../../core/integers.ts";
import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { tensorText } from "../../load/tensor_text.ts";
import { callNow } from "../call_now.ts";
import { changes, originalOf } from "../changes.ts";
import { ownersOf, roomOf } from "../reach.ts";
import { hasEvenRows } from "./layout.ts";
import { isHostBuffer } from "./pointers.ts";
import { expectIndex, type Tensor } from "./say.ts";
import { traitsOf } from "./types.ts";

const { fields, size: TENSOR_SIZE } = ABI.records.ggml_tensor;

/**
 * Throws unless this thread can read and write a tensor's numbers. C adds an index to a null pointer, which is caught only near it, and takes a
 * device's address for one of its own.
 */
function expectReachable(name: string, tensor: Tensor, view: DataView): void {
  const at = tensor.$offset;
  if (isNull(view, at + fields.data)) throw new Error(`${name}(tensor): the tensor was not allocated: ${text(tensor)}`);
  if (!isNull(view, at + fields.buffer)) expectHost(name, tensor, view.getBigUint64(at + fields.buffer, true));
  else if (!isNull(view, at + fields.view_src)) expectHost(name, tensor, bufferOfSource(view, at + fields.view_src));
  if (changes.byHand) expectRoom(name, tensor, !isNull(view, at + fields.view_src));
}

/** Throws where the fields of a tensor, or of what it is a view of, were set by hand so that it reaches beyond its memory. */
function expectRoom(name: string, tensor: Tensor, isView: boolean): void {
  const { address, owner } = tensor;
  if (!isView && originalOf(owner, Number(address)) === null) return;
  const bytes = Number(callNow("ggml_nbytes", ["u64"], "usize", address)), room = roomOf(address, ownersOf(owner));
  if (bytes > room) throw new Error(`${name}(tensor): the tensor has memory for ${room} bytes, and reaches over ${bytes}: ${text(tensor)}`);
}

function expectHost(name: string, tensor: Tensor, buffer: bigint): void {
  if (buffer === 0n || isHostBuffer(buffer)) return;
  throw new Error(`${name}(tensor): the tensor is in a device's memory: ${text(tensor)}`);
}

/** The tensor that a view was of last, and its fields: whoever reads one element goes on to the next. */
let lastSource = 0;
let lastFields = new DataView(new ArrayBuffer(0));

/** The address of the buffer of what a tensor is a view of; 0n for a context's own memory. */
function bufferOfSource(view: DataView, field: number): bigint {
  const source = readUint64(view, field);
  if (source !== lastSource) {
    lastFields = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(BigInt(source))!, TENSOR_SIZE));
    lastSource = source;
  }
  return readAddress(lastFields, fields.buffer);
}

function isNull(view: DataView, field: number): boolean {
  return view.getUint32(field, true) === 0 && view.getUint32(field + 4, true) === 0;
}

/** An element by its number. */
function expectElement(name: string, tensor: Tensor, i: number): void {
  const view = memory(tensor);
  expectReachable(name, tensor, view);
  const count = countOf(view, tensor.$offset + fields.ne);
  if (i >= 0 && i < count) return;
  expectIndex(`${name}(i)`, i, count, "element");
}

/** How many elements there are. */
function countOf(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true) | view.getUint32(at + 12, true) | view.getUint32(at + 20, true) | view.getUint32(at + 28, true);
  if (high !== 0) return readInt64(view, at) * readInt64(view, at + 8) * readInt64(view, at + 16) * readInt64(view, at + 24);
  return view.getUint32(at, true) * view.getUint32(at + 8, true) * view.getUint32(at + 16, true) * view.getUint32(at + 24, true);
}

const KINDS = ["element", "row", "matrix", "block of matrices"];

/** An element by its four indices. */
function expectElementAt(name: string, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
  const view = memory(tensor), at = tensor.$offset + fields.ne;
  expectReachable(name, tensor, view);
  if (
    i0 >= 0 && i0 < readInt64(view, at) && i1 >= 0 && i1 < readInt64(view, at + 8) &&
    i2 >= 0 && i2 < readInt64(view, at + 16) && i3 >= 0 && i3 < readInt64(view, at + 24)
  ) return;
  [i0, i1, i2, i3].forEach((index, i) => expectIndex(`${name}(i${i})`, index, readInt64(view, at + 8 * i), KINDS[i]));
}

/** A tensor that C can fill: it takes the n-th of all rows to start at n strides, and to hold its elements side by side. */
function expectFillable(name: string, tensor: Tensor): void {
  const { ne, nb, type } = tensor;
  if (ne.includes(0)) return;
  expectReachable(name, tensor, memory(tensor));
  if ((ne[0] === 1 || nb[0] === traitsOf(type).size) && hasEvenRows(tensor)) return;
  throw new Error(
    `${name}(tensor): expected rows at even distances with their elements side by side, got nb=[${nb.join(", ")}]: ${text(tensor)}`,
  );
}

function text({ address }: Tensor): string {
  return tensorText(library(), address);
}

/** Checks of functions of ggml-cpu.h. */
export const elements = {
  ggml_set_i32(_: unknown, tensor: Tensor): void {
    expectFillable("ggml_set_i32", tensor);
  },
  ggml_set_f32(_: unknown, tensor: Tensor): void {
    expectFillable("ggml_set_f32", tensor);
  },
  ggml_get_i32_1d(_: unknown, tensor: Tensor, i: number): void {
    expectElement("ggml_get_i32_1d", tensor, i);
  },
  ggml_set_i32_1d(_: unknown, tensor: Tensor, i: number): void {
    expectElement("ggml_set_i32_1d", tensor, i);
  },
  ggml_get_f32_1d(_: unknown, tensor: Tensor, i: number): void {
    expectElement("ggml_get_f32_1d", tensor, i);
  },
  ggml_set_f32_1d(_: unknown, tensor: Tensor, i: number): void {
    expectElement("ggml_set_f32_1d", tensor, i);
  },
  ggml_get_i32_nd(_: unknown, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
    expectElementAt("ggml_get_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_i32_nd(_: unknown, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
    expectElementAt("ggml_set_i32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_get_f32_nd(_: unknown, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
    expectElementAt("ggml_get_f32_nd", tensor, i0, i1, i2, i3);
  },
  ggml_set_f32_nd(_: unknown, tensor: Tensor, i0: number, i1: number, i2: number, i3: number): void {
    expectElementAt("ggml_set_f32_nd", tensor, i0, i1, i2, i3);
  },
};
