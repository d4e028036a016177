/**
 * Shadows of graphs, for guards: what a graph holds, and whether more fits in.
 *
 * `struct ggml_cgraph` is private to ggml. What its functions don't tell (the leafs, and whether there is room for gradients) is read from its
 * memory, at the offsets that the sources give and only if the fields that the functions do tell are where those say.
 *
 * @module
 */

import { type Context, failed, made, type Tensor, tensor, type TensorHandle } from "./guard.ts";
import type { Handle } from "./handle.ts";
import { ABI } from "./layouts.js";
import { library } from "./library.ts";
import { type Owner, STATIC } from "./owner.ts";
import { MAX_SOURCES, sourceAt, TensorMemory } from "./tensor_memory.ts";
import type { Pointers } from "./arguments.ts";

/** The offsets of the private structs' fields, from ggml's sources. */
export interface Layouts {
  readonly ggml_cgraph: Readonly<Record<"size" | "n_nodes" | "n_leafs" | "nodes" | "leafs" | "grads" | "grad_accs", number>>;
  readonly ggml_context: Readonly<Record<"mem_size" | "n_objects", number>>;
}

/** The class of tensors. */
type TensorClass = new (address: bigint, owner: Owner) => TensorHandle;

let layouts: Layouts | null = null;

/** Tells where the fields of the private structs are. */
export function expectLayouts(offsets: Layouts): void {
  layouts = offsets;
}

/** `GGML_HASHSET_FULL`, as a number: SIZE_MAX. */
const FULL = 2 ** 64;

/** How deep a tensor may stand above its farthest source: C visits them recursively, in about 150 bytes of stack each. */
const MAX_DEPTH = 20_000;

/** The tensors of a graph by number. ggml's own set is a hash table; who asks for a number gets another one here, and it is all the same. */
export class HashSet {
  readonly size: number;
  readonly keys: Tensor[] = [];
  readonly #numbers: Map<unknown, number> = new Map();

  constructor(size: number) {
    this.size = size;
  }

  /** Which numbers are in use: C keeps a bit for each. */
  get used(): this {
    return this;
  }

  /** A tensor's number; where it has none, the one that it would get. */
  find(tensor: Tensor): number {
    return this.#numbers.get(tensor.key) ?? (this.keys.length < this.size ? this.keys.length : FULL);
  }

  has(number: number): boolean {
    return number < this.keys.length;
  }

  add(tensor: Tensor): number {
    const number = this.find(tensor);
    if (number < this.keys.length) return number;
    this.keys.push(tensor);
    this.#numbers.set(tensor.key, number);
    return number;
  }
}

/** A graph as guards see it. */
export class Graph {
  readonly size: number;
  readonly n_nodes: number;
  readonly n_leafs: number;
  readonly handle: Handle | null;
  readonly #class: TensorClass | null;
  readonly #fields: DataView | null;
  readonly #hasGrads: boolean;
  /** How many tensors the guard had made when this was looked at. */
  readonly #madeBefore: number;
  #nodes: Tensor[] | null = null;
  #set: HashSet | null = null;
  #grads: (Tensor | null)[] | null = null;
  #accumulators: (Tensor | null)[] | null = null;

  constructor(handle: Handle | null, tensorClass: TensorClass | null, size: number, hasGrads: boolean) {
    this.handle = handle;
    this.#class = tensorClass;
    this.size = size;
    this.n_nodes = handle === null ? 0 : bind("ggml_graph_n_nodes", ["u64"], "i32")(handle.address);
    this.#fields = handle === null ? null : fieldsOf(handle, size, this.n_nodes);
    this.n_leafs = this.#fields?.getInt32(layouts!.ggml_cgraph.n_leafs, true) ?? 0;
    this.#hasGrads = this.#fields === null ? hasGrads : this.#fields.getBigUint64(layouts!.ggml_cgraph.grads, true) !== 0n;
    this.#madeBefore = made();
  }

  /** True if the library's graphs are laid out as the sources say: else nothing more can be said of this one. */
  get isKnown(): boolean {
    return this.handle === null || this.#fields !== null;
  }

  get nodes(): Tensor[] {
    return this.#nodes ??= this.#tensors("nodes", this.n_nodes);
  }

  get leafs(): Tensor[] {
    return this.#tensors("leafs", this.n_leafs);
  }

  get visited_hash_set(): HashSet {
    if (this.#set !== null) return this.#set;
    this.#set = new HashSet(2 * this.size);
    for (const tensor of [...this.nodes, ...this.leafs]) this.#set.add(tensor);
    return this.#set;
  }

  /** The gradients by number, null where the graph has no room for any. */
  get grads(): (Tensor | null)[] | null {
    return this.#hasGrads ? this.#grads ??= this.#gradients("ggml_graph_get_grad") : null;
  }

  get grad_accs(): (Tensor | null)[] | null {
    return this.#hasGrads ? this.#accumulators ??= this.#gradients("ggml_graph_get_grad_acc") : null;
  }

  /** The addresses of what the graph holds. */
  get addresses(): number[] {
    return [...this.#addresses("nodes", this.n_nodes), ...this.#addresses("leafs", this.n_leafs)].map(Number);
  }

  /** Throws if the graph can't hold `nodes` and `leafs` more. */
  expectRoom(nodes: number, leafs: number): void {
    const { size, n_nodes, n_leafs } = this;
    if (n_nodes + nodes > size) throw failed("ggml_build_forward", "cgraph->n_nodes < cgraph->size", { size, n_nodes: n_nodes + nodes });
    if (n_leafs + leafs > size) throw failed("ggml_build_forward", "cgraph->n_leafs < cgraph->size", { size, n_leafs: n_leafs + leafs });
  }

  /** How many tensors the guard made since it looked at this graph. */
  get made(): number {
    return made() - this.#madeBefore;
  }

  #tensors(field: "nodes" | "leafs", count: number): Tensor[] {
    return this.#addresses(field, count).map((address) => this.#tensorAt(address));
  }

  #addresses(field: "nodes" | "leafs", count: number): bigint[] {
    if (this.#fields === null || count === 0) return [];
    return addressesAt(this.#fields.getBigUint64(layouts!.ggml_cgraph[field], true), count);
  }

  #gradients(name: string): (Tensor | null)[] {
    if (this.handle === null) return [];
    const get = bind(name, ["u64", "u64"], "u64");
    return this.visited_hash_set.keys.map((key) => {
      const address = get(this.handle!.address, key.key) as bigint;
      return address === 0n ? null : this.#tensorAt(address);
    });
  }

  #tensorAt(address: bigint): Tensor {
    return tensor(new this.#class!(address, this.handle!.owner))!;
  }
}

/** The shadow of a graph. */
export function graph(handle: Handle | null, tensorClass: TensorClass): Graph | null {
  return handle === null ? null : new Graph(handle, tensorClass, bind("ggml_graph_size", ["u64"], "i32")(handle.address), false);
}

/** The memory of a graph, if its fields are where they should be. */
function fieldsOf({ address, owner }: Handle, size: number, nodes: number): DataView | null {
  if (layouts === null) return null;
  const { ggml_cgraph: at } = layouts;
  const view = viewOf(address, owner, graphSize ??= Math.max(...Object.values(at)) + 8);
  const isThere = view.getInt32(at.size, true) === size && view.getInt32(at.n_nodes, true) === nodes &&
    view.getBigUint64(at.nodes, true) === bind("ggml_graph_nodes", ["u64"], "u64")(address);
  return isThere ? view : null;
}

let graphSize: number | null = null;

/** C memory, by way of the owner's arena where it lies in that: it is there already. */
function viewOf(address: bigint, { arena, base }: Owner, length: number): DataView {
  const offset = Number(address - base);
  if (arena !== null && offset >= 0 && offset + length <= arena.byteLength) {
    return new DataView(arena.buffer, arena.byteOffset + offset, length);
  }
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, length));
}

function addressesAt(address: bigint, count: number): bigint[] {
  return [...new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 8 * count))];
}

/** `ggml_new_graph_custom`. */
export function newGraph(ctx: Context, size: number, grads: boolean | number): Graph {
  if (size > 2 ** 31 - 1) throw failed("ggml_new_graph_custom", "size fits into an int", { size });
  const overhead = bind("ggml_graph_overhead_custom", ["u64", "bool"], "u64")(BigInt(size), Boolean(grads)) as bigint;
  ctx.planRaw(Number(overhead));
  return new Graph(null, null, size, Boolean(grads));
}

/** `ggml_new_buffer`. */
export function newBuffer(ctx: Context, size: number): void {
  ctx.plan(size);
}

/** `ggml_hash_find`. */
export function hashFind(set: HashSet, tensor: Tensor): number {
  return set.find(tensor);
}

/** `ggml_bitset_get` of a set's `used`. */
export function bitsetGet(used: HashSet, number: number): boolean {
  return used.has(number);
}

/** `ggml_hash_insert`. */
export function hashInsert(set: HashSet, tensor: Tensor): number {
  return set.add(tensor);
}

/** An array of pointers as the shadows of tensors. */
export function tensors(value: Pointers<Handle | string> | null, tensorClass: TensorClass): (Tensor | null)[] | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => item instanceof tensorClass ? tensor(item) : null);
  if (!ArrayBuffer.isView(value)) return null;
  const addresses = new BigUint64Array(value.buffer as ArrayBuffer, value.byteOffset, Math.floor(value.byteLength / 8));
  return [...addresses].map((address) => address === 0n ? null : tensor(new tensorClass(address, STATIC)));
}

/**
 * `ggml_build_forward_impl`: the tensor and all that it is made of go into the graph, those first that others need.
 *
 * Whether they fit is known at once if the contexts hold fewer tensors than the graph has room for. If not, they are counted.
 */
export function buildForward(graph: Graph, tensor: Tensor): void {
  if (!graph.isKnown) return;
  if (tensor.handle === null) { // made on the way, as gradients are
    graph.visited_hash_set.add(tensor);
    graph.expectRoom(graph.made, 0);
    return;
  }
  const count = countTensors([graph.handle!.owner, tensor.handle.owner]);
  const { size, n_nodes, n_leafs } = graph;
  if (count !== null && count <= MAX_DEPTH && count - n_leafs <= size && count - n_nodes <= size) return;
  const { nodes, leafs } = visit(graph, tensor.handle);
  graph.expectRoom(nodes, leafs);
}

/** How many tensors the contexts behind some owners hold; null where that isn't known. */
function countTensors(owners: readonly Owner[]): number | null {
  let count = 0;
  const seen = new Set(owners);
  for (const owner of seen) { // those that are added meanwhile too
    const own = tensorsIn(owner);
    if (own === null) return null;
    count += own;
    for (const kept of owner.keptOwners) seen.add(kept);
  }
  return count;
}

/** The memory of contexts; null where it isn't laid out as the sources say. */
const contexts = new WeakMap<Owner, DataView | null>();

/** `ctx->n_objects`, if the owner is a context laid out as the sources say; 0 for another thing, which holds no tensors. */
function tensorsIn(owner: Owner): number | null {
  if (owner === STATIC || layouts === null) return null;
  if (owner.type !== "ggml_context") return 0;
  const { mem_size, n_objects } = layouts.ggml_context;
  let view = contexts.get(owner);
  if (view === undefined) {
    view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(owner.address)!, n_objects + 4));
    if (view.getBigUint64(mem_size, true) !== bind("ggml_get_mem_size", ["u64"], "u64")(owner.address)) view = null;
    contexts.set(owner, view);
  }
  return view?.getInt32(n_objects, true) ?? null;
}

const { fields } = ABI.records.ggml_tensor;

/** Counts the tensors that a graph hasn't got yet, without C's recursion. */
function visit(graph: Graph, root: TensorHandle): { nodes: number; leafs: number } {
  const memory = new TensorMemory(graph.handle!.owner);
  const seen = new Set(graph.addresses);
  const path: number[] = [], next: number[] = [];
  let nodes = 0, leafs = 0;
  const enter = (address: number) => {
    seen.add(address);
    path.push(address);
    next.push(0);
    if (path.length > MAX_DEPTH) {
      throw failed("ggml_build_forward", `no tensor stands more than ${MAX_DEPTH} operations above its farthest source`, {
        root: tensor(root),
      });
    }
  };
  if (!seen.has(Number(root.address))) enter(Number(root.address));
  while (path.length > 0) {
    const top = path.length - 1;
    memory.find(path[top]);
    const source = nextSource(memory, next, top);
    if (source !== 0) {
      if (!seen.has(source)) enter(source);
      continue;
    }
    const { words, at } = memory;
    if (words[at + fields.op / 4] === 0 && (words[at + fields.flags / 4] & PARAM) === 0) leafs++;
    else nodes++;
    path.pop();
    next.pop();
  }
  return { nodes, leafs };
}

/** The next source of the tensor that was found last, from the one on whose number is in `next`; 0 where there is none. */
function nextSource({ words, at }: TensorMemory, next: number[], top: number): number {
  while (next[top] < MAX_SOURCES) {
    const source = sourceAt(words, at, next[top]++);
    if (source !== 0) return source;
  }
  return 0;
}

/** `GGML_TENSOR_FLAG_PARAM`. */
const PARAM = 4;

// deno-lint-ignore no-explicit-any
const bound = new Map<string, any>();

/** A function of the library, bound when it is first needed. */
// deno-lint-ignore no-explicit-any
function bind(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): (...args: any[]) => any {
  let symbol = bound.get(name);
  if (symbol === undefined) bound.set(name, symbol = library().symbol(name, { parameters, result }));
  return symbol;
}
