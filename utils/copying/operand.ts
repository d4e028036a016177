/**
 * Operands: one side of a copy, whether it is a tensor, a part of one, an `ndarray`, a typed array or nested arrays of numbers.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { changes } from "../../ffi/calls/changes.ts";
import { externalBuffer, freedError } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { ownersOf, roomOf } from "../../ffi/calls/reach.ts";
import { countOf, denseLayout, type Layout, reachOf } from "./box.ts";
import { describeTensor, layoutOf, layoutOfArray } from "./layout.ts";
import { type Elements, expectInside, expectThere, isNdArray, type NdArray, type TypedArray } from "../arrays/ndarray.ts";
import { plainArray, plainElements } from "../arrays/plain.ts";
import { TensorSlice } from "./tensor_slice.ts";
import { type Bytes, type TypeInfo, typeInfo, typeOfArray } from "./types.ts";

/** What can be copied from and to. */
export type TensorLike = lib.ggml_tensor | TensorSlice | NdArray<TypedArray> | TypedArray;

/** One side of a copy. */
export interface Operand {
  /** Null for a Uint8Array, which may hold a quantized tensor's bytes. */
  readonly type: TypeInfo | null;
  /** Row-major. Null for a typed array: it has a length only, and fits every shape of as many elements. */
  readonly shape: readonly number[] | null;
  /** Elements in all. */
  readonly count: number;
  /** Null for a typed array, where they lie one after the other. */
  readonly layout: Layout | null;
  /** The memory that the layout counts from; null if it is on a device. */
  readonly bytes: Bytes | null;
  /** The tensor, if it is one or a part of one. */
  readonly tensor: lib.ggml_tensor | null;
  /** True for a Uint16Array: BF16's bits, or integers. */
  readonly isBits: boolean;
  /** Says what it is, for errors. */
  describe(): string;
}

/**
 * One side of a copy from what the caller gave.
 *
 * @param role "copy: source" or "copy: destination", for errors.
 * @param also What the caller takes besides, for errors.
 * @throws {TypeError} If it is nothing that can be copied.
 * @throws {Error} If it has no memory that can be reached.
 */
export function operand(value: TensorLike, role: string, also: string | null = null): Operand {
  if (value instanceof lib.ggml_tensor) return tensorOperand(value, null, role);
  if (value instanceof TensorSlice) return tensorOperand(value.tensor, value, role);
  if (isNdArray(value)) {
    const elements = plainElements(value);
    return arrayOperand(elements.data, elements, value.data.constructor.name, role);
  }
  if (ArrayBuffer.isView(value) && "length" in value) {
    return arrayOperand(plainArray(value as TypedArray), null, value.constructor.name, role);
  }
  const kinds = also === null ? "an ndarray or a typed array" : `an ndarray, a typed array or ${also}`;
  throw new TypeError(`${role}: expected a tensor, a slice, ${kinds}, got ${describe(value)}`);
}

/** How the elements of an operand lie if they have a shape. */
export function layoutIn({ layout, type }: Operand, shape: readonly number[]): Layout {
  return layout ?? denseLayout(shape, type!);
}

function tensorOperand(tensor: lib.ggml_tensor, part: TensorSlice | null, role: string): Operand {
  if (tensor.owner.freed) throw freedError(tensor, role);
  const type = typeInfo(tensor.type);
  const layout = part?.layout ?? layoutOf(tensor, type, role);
  const { shape } = layout;
  return {
    type,
    shape,
    count: countOf(shape),
    layout,
    bytes: isOnDevice(tensor) ? null : tensorBytes(tensor, reachOf(layout).end, role),
    tensor,
    isBits: false,
    describe: () => part === null ? describeTensor(tensor) : `slice of shape [${shape.join(", ")}] of ${describeTensor(tensor)}`,
  };
}

/** The buffer that holds a tensor's data; null for one in a context's own memory. */
export function bufferOf({ buffer, view_src }: lib.ggml_tensor): lib.ggml_backend_buffer | null {
  return view_src === null ? buffer : view_src.buffer;
}

/** True if the tensor is in memory of a device that the CPU can't address. */
export function isOnDevice(tensor: lib.ggml_tensor): boolean {
  const buffer = bufferOf(tensor);
  return buffer !== null && !lib.ggml_backend_buffer_is_host(buffer);
}

/**
 * A tensor's memory, not a copy.
 *
 * @param length How many bytes it reaches over.
 * @throws {Error} If it has none yet.
 */
function tensorBytes(tensor: lib.ggml_tensor, length: number, role: string): Bytes {
  const { data, owner } = tensor;
  if (length === 0) return new Uint8Array(0);
  if (data === null) throw noMemory(tensor, role);
  expectReach(tensor, length, role);
  if (owner.arena !== null) {
    const offset = Number(data.address - owner.base);
    if (offset >= 0 && offset + length <= owner.arena.byteLength) {
      return new Uint8Array(owner.arena.buffer as ArrayBuffer, owner.arena.byteOffset + offset, length);
    }
  }
  // The view is detached when the buffer is freed, whatever becomes of the tensor.
  return new Uint8Array(externalBuffer(data.address, length, bufferOf(tensor)?.owner ?? owner));
}

/**
 * Throws where a tensor reaches beyond the memory that is its own: only a view can, whose strides lead out of its source, and what was set by hand.
 *
 * @param length How many bytes it reaches over.
 */
export function expectReach(tensor: lib.ggml_tensor, length: number, role: string): void {
  const { view_src: source, owner } = tensor;
  if (source === null && !changes.byHand) return;
  const room = source === null || changes.byHand ? roomOf(tensor.address, ownersOf(owner)) : roomIn(source, tensor);
  if (length > room) {
    throw new Error(`${role}: ${describeTensor(tensor)} has memory for ${Math.max(0, room)} bytes, and reaches over ${length}`);
  }
}

/** How much of a source is left where a view of it begins. */
function roomIn(source: lib.ggml_tensor, view: lib.ggml_tensor): number {
  if (source.data === null) return 0;
  const begin = Number(view.data!.address - source.data.address);
  return begin < 0 ? 0 : lib.ggml_nbytes(source) - begin;
}

/** The error for a tensor without memory. */
export function noMemory(tensor: lib.ggml_tensor, role: string): Error {
  return new Error(
    `${role}: ${describeTensor(tensor)} has no memory yet (made with noAlloc, or not computed): allocate it by a backend first`,
  );
}

/** @param kind What its class is called, for errors. */
function arrayOperand(data: TypedArray, array: Elements | null, kind: string, role: string): Operand {
  const text = () => array === null ? `${kind} of ${data.length}` : `ndarray (${kind}) of shape [${array.shape.join(", ")}]`;
  const type = typeOfArray(data);
  if (type === null && (array !== null || !(data instanceof Uint8Array))) {
    throw new TypeError(`${role}: ${text()}: no tensor type has the elements of a ${kind}`);
  }
  if (!(data.buffer instanceof ArrayBuffer)) throw new TypeError(`${role}: ${text()}: shared memory is not supported`);
  expectThere(data, () => `${role}: ${text()}`);
  if (array !== null) expectInside(array, () => `${role}: ${text()}`);
  const layout = array === null ? null : layoutOfArray(array);
  return {
    type: type === null ? null : typeInfo(type),
    shape: layout?.shape ?? null,
    count: array === null ? data.length : countOf(array.shape),
    layout,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    tensor: null,
    isBits: data instanceof Uint16Array,
    describe: text,
  };
}
