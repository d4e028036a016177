/**
 * Guards written by hand: what the parts of ggml that are C++ would answer by `abort()`, a crash or a division by zero, as an Error before the
 * call.
 *
 * Each function here has the name of the C function that it guards; `#pragma guard` in `lexer/api.h` has the generated function call it, after
 * its arguments were found to have the right types. What depends on no more than the arguments' values is checked in full. What C keeps to
 * itself (whether a scheduler holds a graph, how many leafs a graph has) is read from C's own structs by {@linkcode peek}, and only where
 * what can also be asked for is found in its place: with a library that lays them out otherwise such a check is left out.
 *
 * Not here: what is translated from ggml.c (`guards.js`), and what a kernel asserts of what it computes (`guard_compute.ts`).
 *
 * @module
 */

import { typeTraits } from "./guard.ts";
import { guardCompute } from "./guard_compute.ts";
import { addressOf, Handle, Pointer } from "./handle.ts";
import type { Data, Pointers } from "./arguments.ts";
import { atLeast } from "./lengths.ts";
import type { lib as generated } from "./lib.js";
import { library } from "./library.ts";
import { isPlaced } from "./placement.ts";
import { expectQuantizable, isGridType } from "./quantizable.ts";

/** The generated functions and enums. They are passed in: an import would be a circle. */
type Lib = typeof generated;
type Int = number | bigint;
type Tensor = generated.ggml_tensor;

/** `GGML_SCHED_MAX_BACKENDS`, which no header shows. */
const MAX_BACKENDS = 16;
/** What a scheduler can be made for: it takes 21 kB a node at once, and crashes if there is less memory. No model comes near. */
const MAX_NODES = 2 ** 20;
/** `GGML_OBJECT_SIZE`: what a context's memory takes for each thing in it besides the thing itself. */
const OBJECT_SIZE = 32;
/** `TENSOR_ALIGNMENT`. */
const TENSOR_ALIGNMENT = 32;

/** `true` is what is wanted; `message` begins with the function and its parameter. */
function ensure(condition: boolean, message: () => string): void {
  if (!condition) throw new Error(message());
}

/** An index of one of `count` things. */
function indexOf(where: string, value: Int, count: number, what: string): void {
  if (value >= 0 && value < count) return;
  const range = count === 0 ? "of which there is none" : count === 1 ? "of which there is 0 only" : `from 0 to ${count - 1}`;
  throw new RangeError(`${where}: expected the index of ${/^[aeiou]/.test(what) ? "an" : "a"} ${what}, ${range}, got ${value}`);
}

/** A number in a range. */
function between(where: string, value: Int, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Infinity ? `at least ${least}` : least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
  throw new RangeError(`${where}: expected ${range}, got ${value}`);
}

/** A multiple of a number that isn't 0. */
function multiple(where: string, value: Int, of: number, what: string): void {
  if (of > 0 && Number(value) % of === 0) return;
  throw new RangeError(`${where}: expected a multiple of ${of} (${what}), got ${value}`);
}

/** C's own memory behind a handle. */
function peek(handle: Handle): Deno.UnsafePointerView {
  return new Deno.UnsafePointerView(handle.pointer);
}

/** A tensor in an error. */
function show(lib: Lib, { name, type, ne }: Tensor): string {
  return `${name === "" ? "a tensor" : JSON.stringify(name)} (${lib.ggml_type_name(type)} ne=[${ne.join(", ")}])`;
}

/** True if two handles are of one object, or both null. */
function same(a: Handle | null, b: Handle | null): boolean {
  return (a?.address ?? 0n) === (b?.address ?? 0n);
}

/** The address of memory that a caller passed. */
function addressOfData(data: Data): bigint {
  if (data instanceof Handle) return data.address;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return addressOf(data as ArrayBuffer);
  return BigInt(Deno.UnsafePointer.value(data));
}

// gguf.h

type Gguf = generated.gguf_context;

/** A key that may hold anything: the one of the alignment is a u32. */
function reserved(lib: Lib, name: string, key: string): void {
  named(name, key);
  ensure(key !== lib.GGUF_KEY_GENERAL_ALIGNMENT, () => `${name}(key): ${JSON.stringify(key)} must be a u32: use gguf_set_val_u32`);
}

function named(name: string, key: string): void {
  ensure(key !== "", () => `${name}(key): expected a name, got the string ""`);
}

function keyOf(lib: Lib, name: string, ctx: Gguf, id: Int): void {
  indexOf(`${name}(key_id)`, id, lib.gguf_get_n_kv(ctx), "key");
}

/** What a key holds: the type of its elements, and how many there are; null for what is no array. */
function contents(lib: Lib, ctx: Gguf, id: Int): { type: generated.gguf_type; n: number | null } {
  const type = lib.gguf_get_kv_type(ctx, id);
  if (type !== lib.GGUF_TYPE_ARRAY) return { type, n: null };
  return { type: lib.gguf_get_arr_type(ctx, id), n: lib.gguf_get_arr_n(ctx, id) };
}

/** Says what a key holds and what was wanted of it. */
function wrongValue(lib: Lib, name: string, ctx: Gguf, id: Int, wanted: string): Error {
  const { type, n } = contents(lib, ctx, id);
  const held = lib.gguf_type_name(type);
  return new TypeError(
    `${name}(key_id): ${JSON.stringify(lib.gguf_get_key(ctx, id))} is ${
      n === null ? `a ${held}` : `an array of ${n} ${held}`
    }, not ${wanted}`,
  );
}

/** The guard of `gguf_get_val_…`. An array of one element will do. */
function valueOf(name: string, type: (lib: Lib) => generated.gguf_type): (lib: Lib, ctx: Gguf, id: Int) => void {
  return (lib, ctx, id) => {
    keyOf(lib, name, ctx, id);
    const held = contents(lib, ctx, id);
    if (held.type !== type(lib) || (held.n ?? 1) !== 1) throw wrongValue(lib, name, ctx, id, `a ${lib.gguf_type_name(type(lib))}`);
  };
}

/** The guard of `gguf_set_val_…` for every type but the one that the reserved key has. */
function setterOf(name: string): (lib: Lib, ctx: Gguf, key: string) => void {
  return (lib, _ctx, key) => reserved(lib, name, key);
}

function tensorIdOf(name: string): (lib: Lib, ctx: Gguf, id: Int) => void {
  return (lib, ctx, id) => indexOf(`${name}(tensor_id)`, id, lib.gguf_get_n_tensors(ctx), "tensor");
}

/** The index of a tensor that must be there. */
function namedTensor(lib: Lib, where: string, ctx: Gguf, name: string): number {
  const id = lib.gguf_find_tensor(ctx, name);
  ensure(id >= 0, () => `${where}: there is no tensor ${JSON.stringify(name)}`);
  return id;
}

/** Every tensor must have data when a whole file is written. */
function writable(name: string): (lib: Lib, ctx: Gguf, file: unknown, only_meta: boolean) => void {
  return (lib, ctx, _file, only_meta) => {
    const n = lib.gguf_get_n_tensors(ctx);
    if (only_meta || n === 0) return;
    // struct gguf_context: uint32_t version; std::vector<gguf_kv> kv; std::vector<gguf_tensor_info> info; …
    const view = peek(ctx), first = view.getBigUint64(32), size = lib.ggml_tensor.size + 8;
    if (view.getUint32(0) !== lib.gguf_get_version(ctx) || view.getBigUint64(40) - first !== BigInt(n * size)) return;
    for (let i = 0; i < n; i++) {
      const tensor = new lib.ggml_tensor(first + BigInt(i * size), ctx.owner);
      const say = (what: string) => () =>
        `${name}(ctx): ${what}: ${show(lib, tensor)}; call gguf_set_tensor_data, or write only the metadata`;
      ensure(tensor.buffer !== null || tensor.data !== null, say("a tensor has no data"));
      ensure(lib.ggml_is_contiguous(tensor), say("a tensor isn't contiguous"));
    }
  };
}

const gguf = {
  gguf_get_key(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_key", ctx, id);
  },
  gguf_get_kv_type(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_kv_type", ctx, id);
  },
  gguf_get_arr_n(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_n", ctx, id);
  },
  gguf_get_arr_type(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_type", ctx, id);
    if (lib.gguf_get_kv_type(ctx, id) !== lib.GGUF_TYPE_ARRAY) throw wrongValue(lib, "gguf_get_arr_type", ctx, id, "an array");
  },
  gguf_get_arr_data(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_data", ctx, id);
    if (contents(lib, ctx, id).type === lib.GGUF_TYPE_STRING) throw wrongValue(lib, "gguf_get_arr_data", ctx, id, "an array of numbers");
  },
  gguf_get_arr_str(lib: Lib, ctx: Gguf, id: Int, i: Int) {
    keyOf(lib, "gguf_get_arr_str", ctx, id);
    const { type, n } = contents(lib, ctx, id);
    if (type !== lib.GGUF_TYPE_STRING) throw wrongValue(lib, "gguf_get_arr_str", ctx, id, "an array of strings");
    indexOf("gguf_get_arr_str(i)", i, n ?? 1, "string");
  },
  gguf_get_val_u8: valueOf("gguf_get_val_u8", (lib) => lib.GGUF_TYPE_UINT8),
  gguf_get_val_i8: valueOf("gguf_get_val_i8", (lib) => lib.GGUF_TYPE_INT8),
  gguf_get_val_u16: valueOf("gguf_get_val_u16", (lib) => lib.GGUF_TYPE_UINT16),
  gguf_get_val_i16: valueOf("gguf_get_val_i16", (lib) => lib.GGUF_TYPE_INT16),
  gguf_get_val_u32: valueOf("gguf_get_val_u32", (lib) => lib.GGUF_TYPE_UINT32),
  gguf_get_val_i32: valueOf("gguf_get_val_i32", (lib) => lib.GGUF_TYPE_INT32),
  gguf_get_val_f32: valueOf("gguf_get_val_f32", (lib) => lib.GGUF_TYPE_FLOAT32),
  gguf_get_val_u64: valueOf("gguf_get_val_u64", (lib) => lib.GGUF_TYPE_UINT64),
  gguf_get_val_i64: valueOf("gguf_get_val_i64", (lib) => lib.GGUF_TYPE_INT64),
  gguf_get_val_f64: valueOf("gguf_get_val_f64", (lib) => lib.GGUF_TYPE_FLOAT64),
  gguf_get_val_bool: valueOf("gguf_get_val_bool", (lib) => lib.GGUF_TYPE_BOOL),
  gguf_get_val_str: valueOf("gguf_get_val_str", (lib) => lib.GGUF_TYPE_STRING),
  gguf_get_val_data(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_val_data", ctx, id);
    const { type, n } = contents(lib, ctx, id);
    if (type === lib.GGUF_TYPE_STRING || (n ?? 1) !== 1) throw wrongValue(lib, "gguf_get_val_data", ctx, id, "one number");
  },
  gguf_get_tensor_offset: tensorIdOf("gguf_get_tensor_offset"),
  gguf_get_tensor_name: tensorIdOf("gguf_get_tensor_name"),
  gguf_get_tensor_ne: tensorIdOf("gguf_get_tensor_ne"),
  gguf_get_tensor_type: tensorIdOf("gguf_get_tensor_type"),
  gguf_get_tensor_size: tensorIdOf("gguf_get_tensor_size"),
  gguf_set_val_u8: setterOf("gguf_set_val_u8"),
  gguf_set_val_i8: setterOf("gguf_set_val_i8"),
  gguf_set_val_u16: setterOf("gguf_set_val_u16"),
  gguf_set_val_i16: setterOf("gguf_set_val_i16"),
  gguf_set_val_u32(lib: Lib, _ctx: Gguf, key: string, val: number) {
    named("gguf_set_val_u32", key);
    if (key !== lib.GGUF_KEY_GENERAL_ALIGNMENT || (val > 0 && (val & (val - 1)) === 0)) return;
    throw new RangeError(`gguf_set_val_u32(val): ${JSON.stringify(key)} must be a power of two, got ${val}`);
  },
  gguf_set_val_i32: setterOf("gguf_set_val_i32"),
  gguf_set_val_f32: setterOf("gguf_set_val_f32"),
  gguf_set_val_u64: setterOf("gguf_set_val_u64"),
  gguf_set_val_i64: setterOf("gguf_set_val_i64"),
  gguf_set_val_f64: setterOf("gguf_set_val_f64"),
  gguf_set_val_bool: setterOf("gguf_set_val_bool"),
  gguf_set_val_str: setterOf("gguf_set_val_str"),
  gguf_set_arr_str: setterOf("gguf_set_arr_str"),
  gguf_set_arr_data(lib: Lib, _ctx: Gguf, key: string, type: generated.gguf_type) {
    reserved(lib, "gguf_set_arr_data", key);
    const plain = type !== lib.GGUF_TYPE_STRING && type !== lib.GGUF_TYPE_ARRAY;
    ensure(
      plain,
      () => `gguf_set_arr_data(type): expected a type of numbers, got ${lib.gguf_type_name(type)}: use gguf_set_arr_str for strings`,
    );
  },
  gguf_set_kv(_lib: Lib, ctx: Gguf, src: Gguf) {
    ensure(!same(ctx, src), () => "gguf_set_kv(src): expected another gguf_context, got ctx itself");
  },
  gguf_add_tensor(lib: Lib, ctx: Gguf, tensor: Tensor) {
    const found = lib.gguf_find_tensor(ctx, tensor.name) >= 0;
    ensure(!found, () => `gguf_add_tensor(tensor): there is a tensor ${JSON.stringify(tensor.name)} already; call ggml_set_name`);
  },
  gguf_set_tensor_type(lib: Lib, ctx: Gguf, name: string, type: generated.ggml_type) {
    const id = namedTensor(lib, "gguf_set_tensor_type(name)", ctx, name);
    const [ne0] = new BigInt64Array(lib.gguf_get_tensor_ne(ctx, id).bytes(8).buffer);
    const what = `the block size of ${lib.ggml_type_name(type)}; row length of ${JSON.stringify(name)}`;
    multiple("gguf_set_tensor_type(type)", ne0, lib.ggml_blck_size(type), what);
  },
  gguf_set_tensor_data(lib: Lib, ctx: Gguf, name: string) {
    namedTensor(lib, "gguf_set_tensor_data(name)", ctx, name);
  },
  gguf_write_to_file: writable("gguf_write_to_file"),
  gguf_write_to_file_ptr: writable("gguf_write_to_file_ptr"),
};

// ggml-backend.h

type Backend = generated.ggml_backend;
type Sched = generated.ggml_backend_sched;
type Graph = generated.ggml_cgraph;

/** The buffer that a tensor's data is in. */
function bufferOf({ view_src, buffer }: Tensor): generated.ggml_backend_buffer | null {
  return view_src === null ? buffer : view_src.buffer;
}

/** A tensor that a backend may read or write. */
function inBuffer(lib: Lib, where: string, tensor: Tensor): void {
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

/** A function that a backend need not have: the pointer at `offset` of struct ggml_backend, behind its guid. */
function implemented(lib: Lib, where: string, backend: Backend, offset: number, what: string): void {
  const view = peek(backend);
  if (view.getBigUint64(0) !== lib.ggml_backend_guid(backend)?.address) return;
  ensure(view.getBigUint64(offset) !== 0n, () => `${where}: the backend ${lib.ggml_backend_name(backend)} has no ${what}`);
}

/** How many nodes and leafs a graph has; null where its struct isn't the known one. */
function sizeOf(lib: Lib, graph: Graph): { nodes: number; leafs: number } | null {
  // struct ggml_cgraph: int size, n_nodes, n_leafs; …
  const view = peek(graph), nodes = lib.ggml_graph_n_nodes(graph), leafs = view.getInt32(8);
  const known = view.getInt32(0) === lib.ggml_graph_size(graph) && view.getInt32(4) === nodes && leafs >= 0 && leafs <= view.getInt32(0);
  return known ? { nodes, leafs } : null;
}

/** What a scheduler keeps to itself; null where its struct isn't the known one. */
function stateOf(lib: Lib, sched: Sched): { allocated: boolean; capacity: number } | null {
  // struct ggml_backend_sched: bool is_reset, is_alloc; int n_backends; backends[16]; bufts[16]; galloc; hash_set.size; …
  const view = peek(sched);
  const known = view.getInt32(4) === lib.ggml_backend_sched_get_n_backends(sched) && view.getUint8(1) <= 1 &&
    view.getBigUint64(8) === lib.ggml_backend_sched_get_backend(sched, 0).address;
  return known ? { allocated: view.getUint8(1) === 1, capacity: Number(view.getBigUint64(272)) } : null;
}

/** A graph that a scheduler has room for. */
function schedulable(lib: Lib, where: string, sched: Sched, graph: Graph): void {
  const state = stateOf(lib, sched), size = sizeOf(lib, graph);
  if (state === null || size === null) return;
  const { nodes, leafs } = size;
  ensure(
    nodes + leafs <= state.capacity,
    () => `${where}: the graph has ${nodes} nodes and ${leafs} leafs, the scheduler was made for ${state.capacity} (graph_size)`,
  );
}

/** A graph that will be allocated if the scheduler holds none. */
function computable(name: string): (lib: Lib, sched: Sched, graph: Graph) => void {
  return (lib, sched, graph) => {
    if (stateOf(lib, sched)?.allocated === false) schedulable(lib, `${name}(graph)`, sched, graph);
  };
}

/** One of a scheduler's backends. */
function scheduled(name: string, sched: Sched, backend: Backend, lib: Lib): void {
  const n = lib.ggml_backend_sched_get_n_backends(sched);
  for (let i = 0; i < n; i++) if (same(lib.ggml_backend_sched_get_backend(sched, i), backend)) return;
  throw new Error(`${name}(backend): expected one of the scheduler's ${n} backends, got ${lib.ggml_backend_name(backend)}`);
}

/** The first `n` of an array of handles, as far as they can be seen: not of memory that only has an address. */
function items<H extends Handle>(array: Pointers<H> | null, n: number, wrapper: new (address: bigint) => H): H[] {
  if (Array.isArray(array)) return array.slice(0, n) as H[];
  return array instanceof BigUint64Array ? Array.from(array.subarray(0, n), (address) => new wrapper(address)) : [];
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

/** A graph whose tensors all have data in some backend's buffer. */
function allocatedGraph(lib: Lib, where: string, graph: Graph): void {
  const seen = new Set<bigint>();
  const visit = (tensor: Tensor | null) => {
    if (tensor === null || seen.has(tensor.address)) return;
    seen.add(tensor.address);
    inBuffer(lib, where, tensor);
    visit(tensor.view_src);
    tensor.src.forEach(visit);
  };
  for (let i = 0; i < lib.ggml_graph_n_nodes(graph); i++) visit(lib.ggml_graph_node(graph, i));
}

const backend = {
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
  ggml_backend_graph_plan_create(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_graph_plan_create(backend)", backend, 72, "plans");
  },
  ggml_backend_graph_plan_compute(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_graph_plan_compute(backend)", backend, 96, "plans");
  },
  ggml_backend_event_record(lib: Lib, _event: generated.ggml_backend_event, backend: Backend) {
    implemented(lib, "ggml_backend_event_record(backend)", backend, 112, "events");
  },
  ggml_backend_event_wait(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_event_wait(backend)", backend, 120, "events");
  },
  ggml_backend_reg_get(lib: Lib, index: Int) {
    indexOf("ggml_backend_reg_get(index)", index, lib.ggml_backend_reg_count(), "registered backend");
  },
  ggml_backend_dev_get(lib: Lib, index: Int) {
    indexOf("ggml_backend_dev_get(index)", index, lib.ggml_backend_dev_count(), "device");
  },
  ggml_backend_reg_dev_get(lib: Lib, reg: generated.ggml_backend_reg, index: Int) {
    indexOf("ggml_backend_reg_dev_get(index)", index, lib.ggml_backend_reg_dev_count(reg), "device of the backend");
  },
  ggml_backend_dev_buffer_from_host_ptr(lib: Lib, device: generated.ggml_backend_device) {
    const props = new lib.ggml_backend_dev_props();
    lib.ggml_backend_dev_get_props(device, props);
    const say = () =>
      `ggml_backend_dev_buffer_from_host_ptr(device): ${lib.ggml_backend_dev_name(device)} can't make buffers of host memory`;
    ensure(props.caps.buffer_from_host_ptr, say);
  },
  ggml_backend_meta_device(lib: Lib, _devs: unknown, n_devs: Int) {
    between("ggml_backend_meta_device(n_devs)", n_devs, 1, lib.GGML_BACKEND_META_MAX_DEVICES);
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
  ggml_backend_graph_copy(lib: Lib, _backend: Backend, graph: Graph) {
    allocatedGraph(lib, "ggml_backend_graph_copy(graph)", graph);
  },
  ggml_backend_compare_graph_backend(
    lib: Lib,
    _backend1: Backend,
    _backend2: Backend,
    graph: Graph,
    _callback: unknown,
    _user_data: unknown,
    test_nodes: Pointers<Tensor> | null,
    num_test_nodes: Int,
  ) {
    allocatedGraph(lib, "ggml_backend_compare_graph_backend(graph)", graph);
    const wanted = new Set(items(test_nodes, Number(num_test_nodes), lib.ggml_tensor).map(({ address }) => address));
    if (wanted.size === 0) return;
    for (let i = 0; i < lib.ggml_graph_n_nodes(graph); i++) if (wanted.has(lib.ggml_graph_node(graph, i).address)) return;
    throw new Error("ggml_backend_compare_graph_backend(test_nodes): none of them is a node of the graph");
  },
  ggml_backend_sched_new(
    lib: Lib,
    backends: Pointers<Backend>,
    bufts: Pointers<generated.ggml_backend_buffer_type> | null,
    n_backends: number,
    graph_size: Int,
  ) {
    between("ggml_backend_sched_new(n_backends)", n_backends, 1, MAX_BACKENDS);
    between("ggml_backend_sched_new(graph_size)", graph_size, 0, MAX_NODES);
    const all = items(backends, n_backends, lib.ggml_backend), types = items(bufts, n_backends, lib.ggml_backend_buffer_type);
    const last = all.at(-1);
    const isCpu = last === undefined || lib.ggml_backend_dev_type(lib.ggml_backend_get_device(last)) === lib.GGML_BACKEND_DEVICE_TYPE_CPU;
    ensure(isCpu, () => `ggml_backend_sched_new(backends): expected a CPU backend as the last, got ${lib.ggml_backend_name(last!)}`);
    types.forEach((type, i) => {
      const supported = all[i] === undefined || lib.ggml_backend_supports_buft(all[i], type);
      ensure(
        supported,
        () =>
          `ggml_backend_sched_new(bufts): ${lib.ggml_backend_name(all[i])} can't use buffers of type ${lib.ggml_backend_buft_name(type)}`,
      );
    });
  },
  ggml_backend_sched_get_backend(lib: Lib, sched: Sched, i: number) {
    indexOf("ggml_backend_sched_get_backend(i)", i, lib.ggml_backend_sched_get_n_backends(sched), "backend");
  },
  ggml_backend_sched_get_buffer_type(lib: Lib, sched: Sched, backend: Backend) {
    scheduled("ggml_backend_sched_get_buffer_type", sched, backend, lib);
  },
  ggml_backend_sched_get_buffer_size(lib: Lib, sched: Sched, backend: Backend) {
    scheduled("ggml_backend_sched_get_buffer_size", sched, backend, lib);
  },
  ggml_backend_sched_set_tensor_backend(lib: Lib, sched: Sched, _node: Tensor, backend: Backend) {
    scheduled("ggml_backend_sched_set_tensor_backend", sched, backend, lib);
  },
  ggml_backend_sched_reserve(lib: Lib, sched: Sched, graph: Graph) {
    schedulable(lib, "ggml_backend_sched_reserve(measure_graph)", sched, graph);
  },
  ggml_backend_sched_reserve_size(lib: Lib, sched: Sched, graph: Graph) {
    schedulable(lib, "ggml_backend_sched_reserve_size(measure_graph)", sched, graph);
  },
  ggml_backend_sched_alloc_graph(lib: Lib, sched: Sched, graph: Graph) {
    // Another graph than the one that it holds has it reset first.
    const full = stateOf(lib, sched)?.allocated === true && isPlaced(graph, sched);
    ensure(!full, () => "ggml_backend_sched_alloc_graph(graph): the scheduler holds it already: call ggml_backend_sched_reset first");
    schedulable(lib, "ggml_backend_sched_alloc_graph(graph)", sched, graph);
  },
  ggml_backend_sched_graph_compute: computable("ggml_backend_sched_graph_compute"),
  ggml_backend_sched_graph_compute_async: computable("ggml_backend_sched_graph_compute_async"),
};

// ggml-alloc.h

type Gallocr = generated.ggml_gallocr;

/** What a graph allocator keeps to itself; null where its struct isn't the known one. */
function allocatorOf(galloc: Gallocr): { buffers: number; allocated: boolean; nodes: number; leafs: number } | null {
  // struct ggml_gallocr: bufts; buffers; buf_tallocs; int n_buffers; hash_set (24 bytes); hash_values; node_allocs; int n_nodes; leaf_allocs; int n_leafs
  const view = peek(galloc), buffers = view.getInt32(24), at = view.getPointer(8);
  if (buffers < 1 || buffers > 1024 || at === null || view.getPointer(0) === null || view.getPointer(16) === null) return null;
  const list = new Deno.UnsafePointerView(at);
  const allocated = Array.from({ length: buffers }, (_, i) => list.getBigUint64(8 * i)).every((buffer) => buffer !== 0n);
  return { buffers, allocated, nodes: view.getInt32(72), leafs: view.getInt32(88) };
}

/** The buffers that nodes and leafs are said to be in. */
function bufferIds(lib: Lib, name: string, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null): void {
  const known = allocatorOf(galloc), size = sizeOf(lib, graph);
  if (known === null || size === null) return;
  const check = (parameter: string, ids: Data | null, count: number) => {
    const where = `${name}(${parameter})`;
    if (ids !== null) atLeast(ids, count, 4, "int32s", `${parameter.split("_")[0]}s of the graph`, where);
    if (ids instanceof Int32Array) ids.subarray(0, count).forEach((id, i) => indexOf(`${where}[${i}]`, id, known.buffers, "buffer"));
  };
  check("node_buffer_ids", nodeIds, size.nodes);
  check("leaf_buffer_ids", leafIds, size.leafs);
}

/** A context whose tensors a buffer can be made for. */
function allocatableContext(name: string): (lib: Lib, ctx: generated.ggml_context) => void {
  return (lib, ctx) => {
    ensure(lib.ggml_get_no_alloc(ctx), () => `${name}(ctx): expected a context made with no_alloc: its tensors have no memory yet`);
    const allocatedHere = new Set<bigint>();
    for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
      if (tensor.view_src !== null && tensor.buffer === null) viewable(lib, `${name}(ctx)`, tensor, allocatedHere);
      if (tensor.view_src === null ? tensor.data === null : true) allocatedHere.add(tensor.address);
    }
  };
}

const alloc = {
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
  ggml_gallocr_new_n(_lib: Lib, _bufts: unknown, n_bufs: number) {
    between("ggml_gallocr_new_n(n_bufs)", n_bufs, 1, Infinity);
  },
  ggml_gallocr_reserve_n(lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null) {
    bufferIds(lib, "ggml_gallocr_reserve_n", galloc, graph, nodeIds, leafIds);
  },
  ggml_gallocr_reserve_n_size(lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null, sizes: Data) {
    bufferIds(lib, "ggml_gallocr_reserve_n_size", galloc, graph, nodeIds, leafIds);
    atLeast(sizes, allocatorOf(galloc)?.buffers ?? 0, 8, "uint64s", "buffers", "ggml_gallocr_reserve_n_size(sizes)");
  },
  ggml_gallocr_alloc_graph(lib: Lib, galloc: Gallocr, graph: Graph) {
    const known = allocatorOf(galloc), size = sizeOf(lib, graph);
    if (known === null || size === null || known.allocated || size.nodes + size.leafs === 0) return;
    const onlyMeasured = known.nodes === size.nodes && known.leafs === size.leafs;
    ensure(
      !onlyMeasured,
      () => "ggml_gallocr_alloc_graph(galloc): the graph's buffers were measured and not allocated: call ggml_gallocr_reserve first",
    );
  },
  ggml_gallocr_get_buffer_size(_lib: Lib, galloc: Gallocr, buffer_id: number) {
    indexOf("ggml_gallocr_get_buffer_size(buffer_id)", buffer_id, allocatorOf(galloc)?.buffers ?? Infinity, "buffer");
  },
  ggml_backend_alloc_ctx_tensors: allocatableContext("ggml_backend_alloc_ctx_tensors"),
  ggml_backend_alloc_ctx_tensors_from_buft: allocatableContext("ggml_backend_alloc_ctx_tensors_from_buft"),
  ggml_backend_alloc_ctx_tensors_from_buft_size: allocatableContext("ggml_backend_alloc_ctx_tensors_from_buft_size"),
};

// ggml-cpu.h

/** As many threads as ggml has masks for; none or less means its default. */
function threads(where: string, lib: Lib, n_threads: number, least: number): void {
  between(where, n_threads, least, lib.GGML_MAX_N_THREADS);
}

/** Room in a context's memory for `bytes` more. */
function room(lib: Lib, where: string, ctx: generated.ggml_context, bytes: number): void {
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

function fill(name: string): (lib: Lib, tensor: Tensor) => void {
  return (lib, tensor) => {
    const size = elementwise(lib, name, tensor), [nb0] = tensor.nb;
    const say = () => `${name}(tensor): expected elements of a row next to each other, got nb[0]=${nb0}: ${show(lib, tensor)}`;
    ensure(nb0 === size, say);
  };
}

function element1d(name: string): (lib: Lib, tensor: Tensor, i: number) => void {
  const where = `${name}(i)`;
  return (lib, tensor, i) => {
    elementwise(lib, name, tensor);
    indexOf(where, i, lib.ggml_nelements(tensor), "element");
  };
}

function elementNd(name: string): (lib: Lib, tensor: Tensor, i0: number, i1: number, i2: number, i3: number) => void {
  const where = [0, 1, 2, 3].map((i) => `${name}(i${i})`);
  return (lib, tensor, i0, i1, i2, i3) => {
    elementwise(lib, name, tensor);
    const { ne } = tensor;
    indexOf(where[0], i0, ne[0], "element");
    indexOf(where[1], i1, ne[1], "row");
    indexOf(where[2], i2, ne[2], "matrix");
    indexOf(where[3], i3, ne[3], "block of matrices");
  };
}

function scalar(name: string): (lib: Lib, ctx: generated.ggml_context) => void {
  return (lib, ctx) => {
    ensure(!lib.ggml_get_no_alloc(ctx), () => `${name}(ctx): the context was made with no_alloc: a number needs memory`);
    room(lib, `${name}(ctx)`, ctx, lib.ggml_tensor.size + OBJECT_SIZE + 16);
  };
}

/** A backend that runs on the CPU. */
function onCpu(name: string): (lib: Lib, backend_cpu: Backend) => void {
  return (lib, backend_cpu) =>
    ensure(
      lib.ggml_backend_is_cpu(backend_cpu),
      () => `${name}(backend_cpu): expected a CPU backend, got ${lib.ggml_backend_name(backend_cpu)}`,
    );
}

/** What a backend is to compute: the CPU's kernels are asked, another backend is asked for each operation. */
function computedBy(name: string) {
  return (lib: Lib, backend: Backend, graph: Graph) => {
    guardCompute(name, lib, graph, backend);
  };
}

const core = {
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
  ggml_graph_node(lib: Lib, graph: Graph, i: number) {
    const nodes = lib.ggml_graph_n_nodes(graph);
    indexOf("ggml_graph_node(i)", i < 0 ? nodes + i : i, nodes, "node");
  },
  ggml_graph_dump_dot(lib: Lib, _gb: Graph, _graph: Graph | null, filename: string) {
    const file = lib.ggml_fopen(filename, "a");
    if (file === null) throw new Error(`ggml_graph_dump_dot(filename): can't write to ${JSON.stringify(filename)}`);
    const close = library().find("fclose", { parameters: ["u64"], result: "i32" }) as ((file: bigint) => number) | undefined;
    close?.(file.address);
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

/** From here on memory may not be had; less is not worth asking for. */
const LARGE = 2 ** 28;

type Allocate = (size: bigint) => Deno.PointerValue;
type Free = (memory: Deno.PointerValue, size: bigint) => void;

const cpu = {
  ggml_backend_graph_compute: computedBy("ggml_backend_graph_compute"),
  ggml_backend_graph_compute_async: computedBy("ggml_backend_graph_compute_async"),
  ggml_new_i32: scalar("ggml_new_i32"),
  ggml_new_f32: scalar("ggml_new_f32"),
  ggml_set_i32: fill("ggml_set_i32"),
  ggml_set_f32: fill("ggml_set_f32"),
  ggml_get_i32_1d: element1d("ggml_get_i32_1d"),
  ggml_set_i32_1d: element1d("ggml_set_i32_1d"),
  ggml_get_f32_1d: element1d("ggml_get_f32_1d"),
  ggml_set_f32_1d: element1d("ggml_set_f32_1d"),
  ggml_get_i32_nd: elementNd("ggml_get_i32_nd"),
  ggml_set_i32_nd: elementNd("ggml_set_i32_nd"),
  ggml_get_f32_nd: elementNd("ggml_get_f32_nd"),
  ggml_set_f32_nd: elementNd("ggml_set_f32_nd"),
  ggml_threadpool_new(lib: Lib, params: generated.ggml_threadpool_params) {
    threads("ggml_threadpool_new(params): n_threads", lib, params.n_threads, 1);
  },
  ggml_graph_plan(lib: Lib, _graph: Graph, n_threads: number) {
    threads("ggml_graph_plan(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_graph_compute(lib: Lib, graph: Graph, { n_threads, work_size, work_data }: generated.ggml_cplan) {
    threads("ggml_graph_compute(cplan): n_threads", lib, n_threads, 1);
    ensure(
      work_size === 0 || work_data !== null,
      () => `ggml_graph_compute(cplan): expected ${work_size} bytes of working memory in work_data, got null`,
    );
    guardCompute("ggml_graph_compute", lib, graph);
  },
  ggml_graph_compute_with_ctx(lib: Lib, ctx: generated.ggml_context, graph: Graph, n_threads: number) {
    threads("ggml_graph_compute_with_ctx(n_threads)", lib, n_threads, -Infinity);
    guardCompute("ggml_graph_compute_with_ctx", lib, graph);
    const { work_size } = lib.ggml_graph_plan(graph, n_threads, null);
    room(lib, "ggml_graph_compute_with_ctx(ctx)", ctx, Math.ceil(work_size / 16) * 16 + OBJECT_SIZE);
  },
  ggml_backend_cpu_set_n_threads(lib: Lib, backend_cpu: Backend, n_threads: number) {
    onCpu("ggml_backend_cpu_set_n_threads")(lib, backend_cpu);
    threads("ggml_backend_cpu_set_n_threads(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_backend_cpu_set_threadpool: onCpu("ggml_backend_cpu_set_threadpool"),
  ggml_backend_cpu_set_abort_callback: onCpu("ggml_backend_cpu_set_abort_callback"),
  ggml_backend_cpu_set_use_ref: onCpu("ggml_backend_cpu_set_use_ref"),
};

// ggml-opt.h

type Dataset = generated.ggml_opt_dataset;
type Optimizer = generated.ggml_opt_context;
type Result = generated.ggml_opt_result;

/** What a data set keeps to itself; null where its struct isn't the known one. */
function shardsOf(lib: Lib, dataset: Dataset): { rows: number; bytes: number; labelBytes: number; count: number } | null {
  // struct ggml_opt_dataset: ctx, buf, data, labels; int64_t ndata, ndata_shard; size_t nbs_data, nbs_labels; …
  const view = peek(dataset), ndata = lib.ggml_opt_dataset_ndata(dataset);
  const known = view.getBigUint64(16) === lib.ggml_opt_dataset_data(dataset).address && view.getBigInt64(32) === BigInt(ndata);
  const rows = Number(view.getBigInt64(40)), bytes = Number(view.getBigUint64(48));
  if (!known || rows <= 0 || bytes <= 0) return null;
  return { rows, bytes, labelBytes: Number(view.getBigUint64(56)), count: Math.floor(ndata / rows) };
}

/** Batches from `first` to `last` of a data set: whole shards, of which there are enough. Gives the shards in one. */
function batches(lib: Lib, name: string, dataset: Dataset, bytes: number, labelled: boolean, last: Int): number {
  const labels = lib.ggml_opt_dataset_labels(dataset);
  ensure(
    labelled === (labels !== null),
    () => `${name}(dataset): it has ${labels === null ? "no " : ""}labels, the batch has ${labelled ? "" : "no"}ne`,
  );
  ensure(lib.ggml_opt_dataset_data(dataset).data !== null, () => `${name}(dataset): its memory could not be allocated`);
  const shards = shardsOf(lib, dataset);
  if (shards === null) return 0;
  multiple(`${name}: the bytes of a batch`, bytes, shards.bytes, "the bytes of a shard");
  const perBatch = bytes / shards.bytes;
  indexOf(`${name}(ibatch)`, last, Math.floor(shards.count / perBatch), "batch");
  return perBatch;
}

/** A batch of data, and one of labels, that a data set fits. */
function batchTensors(lib: Lib, name: string, dataset: Dataset, data: Tensor, labels: Tensor | null, last: Int): void {
  const held = lib.ggml_opt_dataset_data(dataset), heldLabels = lib.ggml_opt_dataset_labels(dataset);
  const perBatch = batches(lib, name, dataset, lib.ggml_nbytes(data), labels !== null, last);
  for (const [where, tensor, source] of [["data_batch", data, held], ["labels_batch", labels, heldLabels]] as const) {
    if (tensor === null || source === null) continue;
    const say = (what: string) => () => `${name}(${where}): ${what}, got ${show(lib, tensor)}`;
    ensure(lib.ggml_is_contiguous(tensor), say("expected a contiguous tensor"));
    ensure(tensor.type === source.type, say(`expected ${lib.ggml_type_name(source.type)}, as in the data set`));
  }
  const labelBytes = perBatch * (shardsOf(lib, dataset)?.labelBytes ?? 0);
  if (labels === null || perBatch === 0 || lib.ggml_nbytes(labels) === labelBytes) return;
  throw new RangeError(`${name}(labels_batch): expected ${labelBytes} bytes, as many data as in data_batch have, got ${show(lib, labels)}`);
}

/** What an optimizer keeps to itself. */
interface OptimizerState {
  readonly sched: Sched;
  readonly hasContext: boolean;
  readonly forward: Graph | null;
  readonly built: boolean;
  readonly steps: boolean;
  readonly mayBuild: number;
  readonly ready: boolean;
  readonly period: number;
  readonly step: number;
  readonly perDatapoint: boolean;
}

/**
 * The state of an optimizer; null where its struct isn't the known one. In it stands a `std::mt19937`, which has 5000 bytes in GNU's library
 * and 2504 in LLVM's.
 */
function optimizerOf(lib: Lib, opt: Optimizer): OptimizerState | null {
  const view = peek(opt);
  const asked = [
    lib.ggml_opt_inputs,
    lib.ggml_opt_outputs,
    lib.ggml_opt_labels,
    lib.ggml_opt_loss,
    lib.ggml_opt_pred,
    lib.ggml_opt_ncorrect,
  ];
  const addresses = asked.map((ask) => ask(opt)?.address ?? 0n),
    builds: number[] = [lib.GGML_OPT_BUILD_TYPE_FORWARD, lib.GGML_OPT_BUILD_TYPE_GRAD, lib.GGML_OPT_BUILD_TYPE_OPT];
  // backend_sched, …, ctx_compute (at 40), …, rng (at 72), loss_type, build_type, build_type_alloc; inputs, …, ncorrect; gf, gb_grad, gb_opt; …
  const at = [5088, 2592].find((at) =>
    builds.includes(view.getInt32(at - 12)) && builds.includes(view.getInt32(at - 8)) &&
    addresses.every((address, i) => view.getBigUint64(at + 8 * i) === address) &&
    view.getInt32(at + 200) === lib.ggml_opt_context_optimizer_type(opt)
  );
  if (at === undefined || view.getPointer(0) === null) return null;
  return {
    sched: lib.ggml_backend_sched.from(view.getPointer(0), opt.owner)!,
    hasContext: view.getPointer(40) !== null,
    built: view.getPointer(56) !== null,
    forward: lib.ggml_cgraph.from(view.getPointer(at + 48), opt.owner),
    steps: view.getPointer(at + 64) !== null,
    mayBuild: view.getInt32(at - 8),
    ready: view.getBool(at + 73),
    period: view.getInt32(at + 160),
    step: view.getInt32(at + 164),
    perDatapoint: view.getBool(at + 168),
  };
}

/** Everything that a tensor is computed from, itself included. */
function sourcesOf(result: Tensor): Tensor[] {
  const found = new Map<bigint, Tensor>();
  const visit = (tensor: Tensor | null) => {
    if (tensor === null || found.has(tensor.address)) return;
    found.set(tensor.address, tensor);
    tensor.src.forEach(visit);
  };
  visit(result);
  return [...found.values()];
}

/** Tensors of a model that can be trained: with parameters, and without a loss, which the optimizer adds. */
function model(lib: Lib, where: string, tensors: readonly Tensor[], backward: boolean): void {
  const loss = tensors.find(({ flags }) => (flags & lib.GGML_TENSOR_FLAG_LOSS) !== 0);
  ensure(loss === undefined, () => `${where}: the optimizer adds the loss itself; ggml_set_loss was called for ${show(lib, loss!)}`);
  const trainable = !backward || tensors.some(({ flags }) => (flags & lib.GGML_TENSOR_FLAG_PARAM) !== 0);
  ensure(trainable, () => `${where}: no tensor is a parameter: call ggml_set_param`);
}

/** Whether the graphs of an optimizer go as far as the next step needs, forward only or backward too. */
function optimizable(lib: Lib, name: string, opt: Optimizer, backward: boolean): void {
  const state = optimizerOf(lib, opt);
  if (state === null) return;
  ensure(!state.ready, () => `${name}(opt_ctx): a graph is allocated already: call ggml_opt_eval first`);
  const isStatic = lib.ggml_opt_static_graphs(opt);
  if (!isStatic) {
    ensure(state.hasContext && state.forward !== null, () => `${name}(opt_ctx): there is no graph: call ggml_opt_prepare_alloc first`);
    const nodes = Array.from({ length: lib.ggml_graph_n_nodes(state.forward!) }, (_, i) => lib.ggml_graph_node(state.forward!, i));
    // The first time it builds all graphs that it may ever need.
    model(lib, `${name}(opt_ctx)`, nodes, backward || (!state.built && state.mayBuild > lib.GGML_OPT_BUILD_TYPE_FORWARD));
  }
  if (!backward) return;
  const wanted = (state.step + 1) % state.period === 0 ? lib.GGML_OPT_BUILD_TYPE_OPT : lib.GGML_OPT_BUILD_TYPE_GRAD;
  ensure(
    state.mayBuild >= wanted,
    () => `${name}(backward): the optimizer was made with build_type ${state.mayBuild}, a step backward needs ${wanted}`,
  );
}

/** How many predictions a result holds. */
function predictions(lib: Lib, result: Result): number {
  // struct ggml_opt_result: int64_t ndata; std::vector<float> loss; std::vector<int32_t> pred; …
  const view = peek(result), count = Number(view.getBigUint64(40) - view.getBigUint64(32)) / 4;
  return count === 0 || count === ndata(lib, result) ? count : 0;
}

function ndata(lib: Lib, result: Result): number {
  const n = new BigInt64Array(1);
  lib.ggml_opt_result_ndata(result, n);
  return Number(n[0]);
}

/** A result that a step of this optimizer may be added to. */
function addable(lib: Lib, name: string, opt: Optimizer, result: Result | null): void {
  const state = optimizerOf(lib, opt), outputs = lib.ggml_opt_outputs(opt);
  if (result === null || state === null || outputs === null) return;
  const n = ndata(lib, result);
  if (n === 0) return;
  // …; int64_t ncorrect, opt_period; bool loss_per_datapoint
  const view = peek(result), losses = Number(view.getBigUint64(16) - view.getBigUint64(8)) / 4;
  const alike = Number(view.getBigInt64(64)) === state.period && view.getBool(72) === state.perDatapoint && losses * outputs.ne[1] === n;
  ensure(alike, () => `${name}(result): it holds steps of another optimizer or batch size: call ggml_opt_result_reset first`);
}

/** What an epoch needs of the model and the data. */
function trainable(lib: Lib, name: string, dataset: Dataset, inputs: Tensor, labels: Tensor | null): number {
  const { ne } = lib.ggml_opt_dataset_data(dataset);
  const say = () => `${name}(dataset): expected ${inputs.ne[0]} numbers in a data point, as the inputs have, got ${ne[0]}`;
  ensure(ne[0] === inputs.ne[0], say);
  multiple(`${name}(dataset): ndata`, ne[1], inputs.ne[1], "the data points in a batch");
  batchTensors(lib, name, dataset, inputs, labels, ne[1] / inputs.ne[1] - 1);
  return ne[1];
}

/** Data points of a type that is stored in blocks. */
function blocks(lib: Lib, where: string, type: generated.ggml_type, ne: Int): void {
  multiple(where, ne, lib.ggml_blck_size(type), `the block size of ${lib.ggml_type_name(type)}`);
}

const opt = {
  ggml_opt_dataset_init(
    lib: Lib,
    type_data: generated.ggml_type,
    type_label: generated.ggml_type,
    ne_datapoint: Int,
    ne_label: Int,
    ndata: Int,
    ndata_shard: Int,
  ) {
    between("ggml_opt_dataset_init(ne_datapoint)", ne_datapoint, 1, Infinity);
    between("ggml_opt_dataset_init(ne_label)", ne_label, 0, Infinity);
    between("ggml_opt_dataset_init(ndata)", ndata, 1, Infinity);
    between("ggml_opt_dataset_init(ndata_shard)", ndata_shard, 1, Number(ndata));
    blocks(lib, "ggml_opt_dataset_init(ne_datapoint)", type_data, ne_datapoint);
    blocks(lib, "ggml_opt_dataset_init(ne_label)", type_label, ne_label);
    const bytes = (lib.ggml_row_size(type_data, ne_datapoint) + lib.ggml_row_size(type_label, ne_label)) * Number(ndata);
    ensure(bytes < Number.MAX_SAFE_INTEGER, () => `ggml_opt_dataset_init(ndata): ${bytes} bytes are more than there can be`);
  },
  ggml_opt_dataset_shuffle(lib: Lib, _opt: Optimizer, dataset: Dataset, idata: Int) {
    if (idata < 0) return;
    between("ggml_opt_dataset_shuffle(idata)", idata, 0, lib.ggml_opt_dataset_ndata(dataset));
    multiple("ggml_opt_dataset_shuffle(idata)", idata, shardsOf(lib, dataset)?.rows ?? 1, "the data points in a shard");
  },
  ggml_opt_dataset_get_batch(lib: Lib, dataset: Dataset, data_batch: Tensor, labels_batch: Tensor | null, ibatch: Int) {
    batchTensors(lib, "ggml_opt_dataset_get_batch", dataset, data_batch, labels_batch, ibatch);
    inBuffer(lib, "ggml_opt_dataset_get_batch(data_batch)", data_batch);
    if (labels_batch !== null) inBuffer(lib, "ggml_opt_dataset_get_batch(labels_batch)", labels_batch);
  },
  ggml_opt_dataset_get_batch_host(lib: Lib, dataset: Dataset, _data: Data, nb_data_batch: Int, labels_batch: Data | null, ibatch: Int) {
    const name = "ggml_opt_dataset_get_batch_host";
    const perBatch = batches(lib, name, dataset, Number(nb_data_batch), labels_batch !== null, ibatch);
    const bytes = perBatch * (shardsOf(lib, dataset)?.labelBytes ?? 0);
    atLeast(labels_batch, bytes, 1, "bytes", "the labels of as many data as in data_batch", `${name}(labels_batch)`);
  },
  ggml_opt_init(lib: Lib, params: generated.ggml_opt_params) {
    const { backend_sched, ctx_compute, inputs, outputs, opt_period, get_opt_pars } = params;
    between("ggml_opt_init(params): opt_period", opt_period, 1, Infinity);
    ensure(backend_sched !== null, () => "ggml_opt_init(params): expected a backend_sched, got null");
    ensure(get_opt_pars !== null, () => "ggml_opt_init(params): expected get_opt_pars, got null");
    const grad = params.build_type === lib.GGML_OPT_BUILD_TYPE_GRAD;
    ensure(!grad, () => "ggml_opt_init(params): build_type: ggml takes forward and opt only, and asserts that it isn't grad");
    if (ctx_compute === null) {
      ensure(inputs === null && outputs === null, () => "ggml_opt_init(params): expected no inputs and outputs without a ctx_compute");
      return;
    }
    ensure(inputs !== null && outputs !== null, () => "ggml_opt_init(params): expected inputs and outputs with a ctx_compute");
    ensure(inputs!.data !== null, () => `ggml_opt_init(params): the inputs are not allocated: ${show(lib, inputs!)}`);
    model(lib, "ggml_opt_init(params)", sourcesOf(outputs!), params.build_type > lib.GGML_OPT_BUILD_TYPE_FORWARD);
  },
  ggml_opt_grad_acc(lib: Lib, opt: Optimizer) {
    ensure(optimizerOf(lib, opt)?.steps !== false, () => "ggml_opt_grad_acc(opt_ctx): it has no graph for a step backward");
  },
  ggml_opt_result_loss(lib: Lib, result: Result, _loss: Data, unc: Data | null) {
    ensure(
      unc !== null || ndata(lib, result) > 0,
      () => "ggml_opt_result_loss(unc): expected memory for a double, got null: the result holds no data",
    );
  },
  ggml_opt_result_pred(lib: Lib, result: Result, pred: Data) {
    atLeast(pred, predictions(lib, result), 4, "int32s", "the result's ndata", "ggml_opt_result_pred(pred)");
  },
  ggml_opt_prepare_alloc(lib: Lib, opt: Optimizer) {
    ensure(
      !lib.ggml_opt_static_graphs(opt),
      () => "ggml_opt_prepare_alloc(opt_ctx): its graphs are static: it was made with a ctx_compute",
    );
  },
  ggml_opt_alloc(lib: Lib, opt: Optimizer, backward: boolean) {
    optimizable(lib, "ggml_opt_alloc", opt, backward);
  },
  ggml_opt_eval(lib: Lib, opt: Optimizer, result: Result | null) {
    ensure(optimizerOf(lib, opt)?.ready !== false, () => "ggml_opt_eval(opt_ctx): no graph is allocated: call ggml_opt_alloc first");
    addable(lib, "ggml_opt_eval", opt, result);
  },
  ggml_opt_epoch(lib: Lib, opt: Optimizer, dataset: Dataset, train: Result | null, evaluation: Result | null, idata_split: Int) {
    const name = "ggml_opt_epoch", inputs = lib.ggml_opt_inputs(opt);
    ensure(
      lib.ggml_opt_static_graphs(opt) && inputs !== null,
      () => `${name}(opt_ctx): expected static graphs: make it with a ctx_compute`,
    );
    const count = trainable(lib, name, dataset, inputs!, lib.ggml_opt_labels(opt));
    const split = idata_split < 0 ? count : Number(idata_split);
    between(`${name}(idata_split)`, split, 0, count);
    multiple(`${name}(idata_split)`, split, inputs!.ne[1], "the data points in a batch");
    optimizable(lib, name, opt, split > 0);
    if (split > 0) addable(lib, name, opt, train);
    if (split < count) addable(lib, name, opt, evaluation);
  },
  ggml_opt_fit(
    lib: Lib,
    _sched: Sched,
    _ctx: generated.ggml_context,
    inputs: Tensor,
    outputs: Tensor,
    dataset: Dataset,
    loss_type: generated.ggml_opt_loss_type,
    _optimizer: unknown,
    _get_opt_pars: unknown,
    _nepoch: Int,
    nbatch_logical: Int,
    val_split: number,
  ) {
    const labelled = loss_type === lib.GGML_OPT_LOSS_TYPE_CROSS_ENTROPY || loss_type === lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR;
    const count = trainable(lib, "ggml_opt_fit", dataset, inputs, labelled ? outputs : null);
    between("ggml_opt_fit(nbatch_logical)", nbatch_logical, 1, count);
    multiple("ggml_opt_fit(dataset): ndata", count, Number(nbatch_logical), "nbatch_logical");
    multiple("ggml_opt_fit(nbatch_logical)", nbatch_logical, inputs.ne[1], "the data points in a batch");
    ensure(
      val_split >= 0 && Math.fround(val_split) < 1,
      () => `ggml_opt_fit(val_split): expected at least 0 and less than 1, got ${val_split}`,
    );
    ensure(inputs.data !== null, () => `ggml_opt_fit(inputs): they are not allocated: ${show(lib, inputs)}`);
    model(lib, "ggml_opt_fit(outputs)", sourcesOf(outputs), true);
  },
  ggml_opt_epoch_callback_progress_bar(lib: Lib, _train: boolean, opt: Optimizer, _dataset: unknown, _result: unknown, ibatch: Int) {
    const name = "ggml_opt_epoch_callback_progress_bar";
    ensure(Number(ibatch) !== 0, () => `${name}(ibatch): expected the number of a batch, from 1, got 0`);
    ensure(lib.ggml_opt_inputs(opt) !== null, () => `${name}(opt_ctx): it has no inputs yet`);
  },
};

/** The guards, by the C function that they guard. */
export const byHand = { ...core, ...gguf, ...backend, ...alloc, ...cpu, ...opt };
