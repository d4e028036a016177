/**
 * Guards of tensors in a backend's buffers: what puts them there, and what writes, reads and copies their bytes.
 *
 * By hand: it is C++ (ggml-backend.cpp) and ggml-alloc.c, which assert in the middle of their work, and in part only the backend knows its
 * answer: how many bytes a tensor needs in its buffer, and which functions the buffer has.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import type { lib as generated } from "../lib.js";
import { addressOfData, type Backend, ensure, type Int, type Lib, peek, same, show, type Tensor } from "./checks.ts";

/** `TENSOR_ALIGNMENT`. */
const TENSOR_ALIGNMENT = 32;

/** The buffer that a tensor's data is in. */
function bufferOf({ view_src, buffer }: Tensor): generated.ggml_backend_buffer | null {
  return view_src === null ? buffer : view_src.buffer;
}

/** A tensor that a backend may read or write. */
export function inBuffer(lib: Lib, where: string, tensor: Tensor): void {
  const say = (what: string) => () => `${where}: ${what}: ${show(lib, tensor)}`;
  ensure(bufferOf(tensor) !== null, say("the tensor is in no backend's buffer (one in a context's own memory is read and written there)"));
  ensure(tensor.data !== null, say("the tensor was not allocated"));
}

/** Bytes inside a tensor: `copies` pieces of `size`, `stride` apart. */
function inTensor(lib: Lib, name: string, tensor: Tensor, offset: Int, size: Int, copies: Int = 1, stride: Int = 0): void {
  inBuffer(lib, `${name}(tensor)`, tensor);
  if (Number(copies) === 0 || Number(size) === 0) return;
  const end = Number(offset) + (Number(copies) - 1) * Number(stride) + Number(size), nbytes = lib.ggml_nbytes(tensor);
  if (end <= nbytes) return;
  throw new RangeError(`${name}(size): expected to end within the tensor's ${nbytes} bytes, got an end at ${end}: ${show(lib, tensor)}`);
}

/** What `ggml_backend_tensor_copy` takes. */
function copyable(lib: Lib, name: string, src: Tensor, dst: Tensor): void {
  const alike = src.type === dst.type && src.ne.join() === dst.ne.join() && src.nb.join() === dst.nb.join();
  ensure(alike, () => `${name}(dst): expected the same type, shape and strides: src is ${show(lib, src)}, dst is ${show(lib, dst)}`);
  if (same(src, dst)) return;
  ensure(src.buffer !== null, () => `${name}(src): the tensor is in no backend's buffer: ${show(lib, src)}`);
  ensure(dst.buffer !== null, () => `${name}(dst): the tensor is in no backend's buffer: ${show(lib, dst)}`);
  inBuffer(lib, `${name}(src)`, src);
  inBuffer(lib, `${name}(dst)`, dst);
}

/** A tensor that `ggml_backend_tensor_alloc` takes: new, and of its own. */
function unallocated(lib: Lib, where: string, tensor: Tensor): void {
  const say = (what: string) => () => `${where}: ${what}: ${show(lib, tensor)}`;
  ensure(tensor.view_src === null, say("the tensor is a view, which has its source's memory: use ggml_backend_view_init"));
  ensure(tensor.buffer === null && tensor.data === null, say("the tensor is allocated already"));
}

/** A tensor whose source has memory that it can be a view of. */
function viewable(lib: Lib, where: string, { view_src }: Tensor, allocatedHere: ReadonlySet<bigint> = new Set()): void {
  ensure(view_src !== null, () => `${where}: the tensor is no view`);
  if (allocatedHere.has(view_src!.address)) return;
  const say = () => `${where}: the tensor is a view of ${show(lib, view_src!)}, which is in no backend's buffer`;
  ensure(view_src!.buffer !== null && view_src!.data !== null, say);
}

/** A context whose tensors a buffer can be made for. */
function allocatableContext(lib: Lib, name: string, ctx: generated.ggml_context): void {
  ensure(lib.ggml_get_no_alloc(ctx), () => `${name}(ctx): expected a context made with no_alloc: its tensors have no memory yet`);
  const allocatedHere = new Set<bigint>();
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
    if (tensor.view_src !== null && tensor.buffer === null) viewable(lib, `${name}(ctx)`, tensor, allocatedHere);
    if (tensor.view_src === null ? tensor.data === null : true) allocatedHere.add(tensor.address);
  }
}

/** Of ggml-backend.h and ggml-alloc.h. */
export const buffers = {
  ggml_backend_tensor_set(lib: Lib, tensor: Tensor, _data: Data, offset: Int, size: Int) {
    inTensor(lib, "ggml_backend_tensor_set", tensor, offset, size);
  },
  ggml_backend_tensor_get(lib: Lib, tensor: Tensor, _data: Data, offset: Int, size: Int) {
    inTensor(lib, "ggml_backend_tensor_get", tensor, offset, size);
  },
  ggml_backend_tensor_set_async(lib: Lib, _backend: Backend, tensor: Tensor, _data: Data, offset: Int, size: Int) {
    inTensor(lib, "ggml_backend_tensor_set_async", tensor, offset, size);
  },
  ggml_backend_tensor_get_async(lib: Lib, _backend: Backend, tensor: Tensor, _data: Data, offset: Int, size: Int) {
    inTensor(lib, "ggml_backend_tensor_get_async", tensor, offset, size);
  },
  ggml_backend_tensor_set_2d(lib: Lib, tensor: Tensor, _data: Data, offset: Int, size: Int, n_copies: Int, stride: Int) {
    inTensor(lib, "ggml_backend_tensor_set_2d", tensor, offset, size, n_copies, stride);
  },
  ggml_backend_tensor_get_2d(lib: Lib, tensor: Tensor, _data: Data, offset: Int, size: Int, n_copies: Int, stride: Int) {
    inTensor(lib, "ggml_backend_tensor_get_2d", tensor, offset, size, n_copies, stride);
  },
  ggml_backend_tensor_set_2d_async(lib: Lib, _: Backend, tensor: Tensor, _data: Data, offset: Int, size: Int, n_copies: Int, stride: Int) {
    inTensor(lib, "ggml_backend_tensor_set_2d_async", tensor, offset, size, n_copies, stride);
  },
  ggml_backend_tensor_get_2d_async(lib: Lib, _: Backend, tensor: Tensor, _data: Data, offset: Int, size: Int, n_copies: Int, stride: Int) {
    inTensor(lib, "ggml_backend_tensor_get_2d_async", tensor, offset, size, n_copies, stride);
  },
  ggml_backend_tensor_memset(lib: Lib, tensor: Tensor, _value: number, offset: Int, size: Int) {
    if (Number(size) === 0) return;
    inTensor(lib, "ggml_backend_tensor_memset", tensor, offset, size);
    // struct ggml_backend_buffer: eleven functions, memset_tensor the fourth; buft; …
    const buffer = bufferOf(tensor)!, view = peek(buffer);
    if (view.getBigUint64(88) !== lib.ggml_backend_buffer_get_type(buffer).address) return;
    const say = () => `ggml_backend_tensor_memset(tensor): the buffer ${lib.ggml_backend_buffer_name(buffer)} has no memset`;
    ensure(view.getBigUint64(24) !== 0n, say);
  },
  ggml_backend_tensor_copy(lib: Lib, src: Tensor, dst: Tensor) {
    copyable(lib, "ggml_backend_tensor_copy", src, dst);
  },
  ggml_backend_tensor_copy_async(lib: Lib, _src: Backend, _dst: Backend, src: Tensor, dst: Tensor) {
    copyable(lib, "ggml_backend_tensor_copy_async", src, dst);
  },
  ggml_backend_dev_buffer_from_host_ptr(lib: Lib, device: generated.ggml_backend_device) {
    const props = new lib.ggml_backend_dev_props();
    lib.ggml_backend_dev_get_props(device, props);
    const say = () =>
      `ggml_backend_dev_buffer_from_host_ptr(device): ${lib.ggml_backend_dev_name(device)} can't make buffers of host memory`;
    ensure(props.caps.buffer_from_host_ptr, say);
  },
  ggml_backend_cpu_buffer_from_ptr(_lib: Lib, ptr: Data) {
    const rest = addressOfData(ptr) % BigInt(TENSOR_ALIGNMENT);
    ensure(
      rest === 0n,
      () => `ggml_backend_cpu_buffer_from_ptr(ptr): expected memory aligned to ${TENSOR_ALIGNMENT} bytes, got it ${rest} bytes off`,
    );
  },
  ggml_backend_view_init(lib: Lib, tensor: Tensor) {
    ensure(tensor.buffer === null, () => `ggml_backend_view_init(tensor): the tensor is in a buffer already: ${show(lib, tensor)}`);
    viewable(lib, "ggml_backend_view_init(tensor)", tensor);
  },
  ggml_backend_tensor_alloc(lib: Lib, buffer: generated.ggml_backend_buffer, tensor: Tensor, addr: Data) {
    unallocated(lib, "ggml_backend_tensor_alloc(tensor)", tensor);
    const base = lib.ggml_backend_buffer_get_base(buffer)?.address ?? 0n, size = lib.ggml_backend_buffer_get_size(buffer);
    const offset = addressOfData(addr) - base, needed = lib.ggml_backend_buffer_get_alloc_size(buffer, tensor);
    if (offset >= 0n && Number(offset) + needed <= size) return;
    throw new RangeError(
      `ggml_backend_tensor_alloc(addr): expected ${needed} bytes within the buffer's ${size}, got an address ${offset} bytes from its start`,
    );
  },
  ggml_tallocr_alloc(lib: Lib, { buffer, alignment, offset }: generated.ggml_tallocr, tensor: Tensor) {
    ensure(
      buffer !== null && alignment > 0,
      () => "ggml_tallocr_alloc(talloc): expected what ggml_tallocr_new made, got one without a buffer",
    );
    unallocated(lib, "ggml_tallocr_alloc(tensor)", tensor);
    const size = lib.ggml_backend_buffer_get_size(buffer!);
    const needed = Math.ceil(lib.ggml_backend_buffer_get_alloc_size(buffer!, tensor) / alignment) * alignment;
    const say = () =>
      `ggml_tallocr_alloc(tensor): the buffer has ${Math.max(0, size - offset)} of ${size} bytes free, ${
        show(lib, tensor)
      } needs ${needed}`;
    ensure(offset + needed <= size, say);
  },
  ggml_backend_alloc_ctx_tensors(lib: Lib, ctx: generated.ggml_context) {
    allocatableContext(lib, "ggml_backend_alloc_ctx_tensors", ctx);
  },
  ggml_backend_alloc_ctx_tensors_from_buft(lib: Lib, ctx: generated.ggml_context) {
    allocatableContext(lib, "ggml_backend_alloc_ctx_tensors_from_buft", ctx);
  },
  ggml_backend_alloc_ctx_tensors_from_buft_size(lib: Lib, ctx: generated.ggml_context) {
    allocatableContext(lib, "ggml_backend_alloc_ctx_tensors_from_buft_size", ctx);
  },
};
