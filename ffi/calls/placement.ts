/**
 * Placement: which tensors an allocator or a scheduler gave memory of its own, and for how long.
 *
 * `ggml_gallocr_alloc_graph` and its like give memory to every tensor of a graph that has none yet, whichever context it is in. That memory
 * is used again for the next graph, and freed when that one needs more; the tensors of the graph before still point there, and C takes them
 * for allocated. So, before another graph is allocated, they are made what they were: without memory. Views of them are empty then.
 *
 * When the allocator is freed its contexts can't be used any more, but others that the graph only reads from, such as the weights', can.
 *
 * @module
 */

import { enums } from "../generated/enums.js";
import { changed } from "./changes.ts";
import { nodesOf, sameNodes } from "./graph_nodes.ts";
import type { Handle } from "../core/handle.ts";
import { externalBuffer } from "../core/handle.ts";
import { ownerAt } from "../core/known.ts";
import { ABI } from "../generated/layouts.js";
import { library } from "../load/library.ts";
import { type Owner, STATIC } from "../core/owner.ts";
import type { Tie } from "../core/weak.ts";
import { ownersOf } from "./reach.ts";

/** An allocator or a scheduler. */
type Home = Pick<Handle, "owner">;

/** What an allocator did last. */
interface Placement {
  readonly graph: bigint;
  /** The number of its owner: what C cleared and made anew may be at the same address. */
  readonly owner: number;
  readonly nodes: BigUint64Array;
  /** The addresses of its own buffers. */
  readonly buffers: ReadonlySet<bigint>;
  /** The contexts that keep it since. */
  readonly contexts: readonly { readonly weak: WeakRef<Tie<Owner>>; readonly id: number }[];
  /** True until the same graph is allocated, or computed, again. */
  isNew: boolean;
}

const placements = new WeakMap<Owner, Placement>();

/** Functions of the library that take an address, bound when they are first needed. */
const symbols = {
  noAlloc: lazily<boolean>("ggml_get_no_alloc", ["u64"], "bool"),
  first: lazily<bigint>("ggml_get_first_tensor", ["u64"], "u64"),
  next: lazily<bigint>("ggml_get_next_tensor", ["u64", "u64"], "u64"),
};

function lazily<R>(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): (...args: bigint[]) => R {
  let symbol: ((...args: bigint[]) => R) | null = null;
  return (...args) => (symbol ??= library().symbol(name, { parameters, result }) as (...args: bigint[]) => R)(...args);
}

/**
 * Prepares an allocator for a graph: takes the memory from the tensors of the one before.
 *
 * @param graph The graph; null where memory is only reserved.
 * @param reset Makes it forget the graph before, which it wouldn't by itself.
 */
export function willPlace<H extends Home>(graph: Handle | null, home: H, reset: ((home: H) => void) | null): void {
  const last = placements.get(home.owner);
  if (last === undefined || (graph !== null && isPlaced(graph, home))) return;
  const contexts = home.owner.dependents.filter((context) => context.type === "ggml_context" && !context.freed);
  for (const context of contexts) {
    context.expectHere(`this ${home.owner.type} can't place tensors anew, those of a ${context.type} among them`);
  }
  placements.delete(home.owner);
  changed();
  reset?.(home);
  for (const context of contexts) {
    context.hideData();
    for (const tensor of tensorsOf(context)) {
      const memory = memoryOf(context, tensor);
      if (last.buffers.has(memory.getBigUint64(buffer, true))) takeMemory(memory);
    }
  }
  for (const context of contexts) for (const tensor of tensorsOf(context)) takeFromView(memoryOf(context, tensor));
  dropFrom(last, home);
}

/** Has the contexts no longer keep an allocator that has no memory of theirs: it would have to look at all that there ever were. */
function dropFrom({ contexts }: Placement, home: Home): void {
  for (const { weak, id } of contexts) {
    const context = weak.deref()?.target ?? null;
    if (context?.id === id) context.drop(home.owner);
  }
}

const { buffer, data, op, view_src: viewSource } = ABI.records.ggml_tensor.fields;

function takeMemory(tensor: DataView): void {
  tensor.setBigUint64(buffer, 0n, true);
  tensor.setBigUint64(data, 0n, true);
}

/** A view that was made of what had its memory already points into that, and is in no buffer: its pointer is C's copy. */
function takeFromView(tensor: DataView): void {
  const source = tensor.getBigUint64(viewSource, true);
  if (source === 0n || tensor.getBigUint64(buffer, true) !== 0n || tensor.getBigUint64(data, true) === 0n) return;
  const root = new Deno.UnsafePointerView(Deno.UnsafePointer.create(source)!);
  if (root.getBigUint64(data) === 0n) takeMemory(tensor);
}

/** True if a graph is the one that an allocator or scheduler allocated last. */
export function isPlaced(graph: Handle, home: Home): boolean {
  const last = placements.get(home.owner);
  return last !== undefined && last.graph === graph.address && last.owner === graph.owner.id &&
    sameNodes(last.nodes, nodesOf(graph.address));
}

/** Has the contexts keep `home` whose tensors it gave memory when it allocated `graph`. */
export function places(graph: Handle, home: Home): void {
  if (graph.owner === STATIC) STATIC.keep(home.owner); // nobody knows for how long
  const last = placements.get(home.owner);
  if (last !== undefined) { // the same graph again
    last.isNew = false;
    return;
  }
  const buffers = new Set<bigint>(), contexts: { weak: WeakRef<Tie<Owner>>; id: number }[] = [];
  for (const context of contextsOf(graph.owner)) {
    const found = buffersOf(context, home.owner);
    found.forEach((buffer) => buffers.add(buffer));
    if (found.size === 0 && context !== graph.owner && hasBuffer(context)) continue;
    if (context.keeps(home.owner)) continue;
    context.keep(home.owner);
    contexts.push({ weak: context.weak, id: context.id });
  }
  const nodes = nodesOf(graph.address).slice();
  changed();
  placements.set(home.owner, { graph: graph.address, owner: graph.owner.id, nodes, buffers, contexts, isNew: true });
}

/**
 * Undoes what {@linkcode places} noted, where the allocator failed to allocate that graph; not where it had it allocated before.
 *
 * @param hasBegun Whether some of the graph's tensors may have memory: it is taken from them.
 * @returns Whether there was something to undo.
 */
export function takeBack(home: Handle, hasBegun: boolean): boolean {
  const last = placements.get(home.owner);
  if (last?.isNew !== true) return false;
  if (hasBegun) willPlace(null, home, null);
  else {
    placements.delete(home.owner);
    dropFrom(last, home);
  }
  return true;
}

/**
 * The tensors among `tensors` that are computed, and that other allocators than `home` gave memory, which they use for several of a graph.
 *
 * @param owner What keeps their contexts.
 */
export function placedElsewhere(owner: Owner, home: Home | null, tensors: () => Iterable<bigint>): bigint[] {
  const buffers = new Set<bigint>();
  for (const kept of ownersOf(owner)) {
    if (kept !== home?.owner) placements.get(kept)?.buffers.forEach((buffer) => buffers.add(buffer));
  }
  if (buffers.size === 0) return [];
  return [...tensors()].filter((tensor) => {
    const root = rootOf(tensor), memory = tensorAt(root);
    return memory.getInt32(op, true) !== enums.GGML_OP_NONE && buffers.has(memory.getBigUint64(buffer, true));
  });
}

/** Takes the memory from tensors; the result gives it back. What they were placed for finds them without any meanwhile. */
export function hide(tensors: readonly bigint[]): () => void {
  const hidden = tensors.map((tensor) => {
    const memory = tensorAt(tensor);
    return { memory, places: [memory.getBigUint64(buffer, true), memory.getBigUint64(data, true)] };
  });
  for (const { memory } of hidden) takeMemory(memory);
  if (hidden.length > 0) changed();
  return () => {
    for (const { memory, places: [inBuffer, at] } of hidden) {
      memory.setBigUint64(buffer, inBuffer, true);
      memory.setBigUint64(data, at, true);
    }
    if (hidden.length > 0) changed();
  };
}

/** The tensor that has the memory: a view's source, or itself. */
function rootOf(tensor: bigint): bigint {
  return tensorAt(tensor).getBigUint64(viewSource, true) || tensor;
}

/** Memory of a tensor that nobody's arena is known for. */
function tensorAt(tensor: bigint): DataView {
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(tensor)!, ABI.records.ggml_tensor.size));
}

/** The buffers in which a context's tensors lie, but for those that are known as somebody else's. */
function buffersOf(context: Owner, home: Owner): Set<bigint> {
  const others = context.keptOwners.flatMap((kept) => kept === home ? [] : placements.get(kept) ?? []);
  const found = new Set<bigint>(), known = new Set<bigint>();
  for (const tensor of tensorsOf(context)) {
    const address = memoryOf(context, tensor).getBigUint64(buffer, true);
    if (address === 0n || found.has(address) || known.has(address)) continue;
    const isOthers = ownerAt("ggml_backend_buffer", address) !== undefined || others.some(({ buffers }) => buffers.has(address));
    (isOthers ? known : found).add(address);
  }
  return found;
}

/** The contexts that a graph reaches whose tensors are made without memory. */
function contextsOf(owner: Owner, seen: Set<Owner> = new Set()): Owner[] {
  if (seen.has(owner) || owner === STATIC) return [];
  seen.add(owner);
  const inner = owner.keptOwners.flatMap((kept) => contextsOf(kept, seen));
  return owner.type === "ggml_context" && !owner.freed && symbols.noAlloc(owner.address) ? [owner, ...inner] : inner;
}

/** True for a context whose tensors were put in a backend's buffer before. */
function hasBuffer(context: Owner): boolean {
  return context.keptOwners.some(({ type }) => type === "ggml_backend_buffer");
}

/** The addresses of a context's tensors. */
function* tensorsOf({ address }: Owner): Generator<bigint> {
  for (let tensor = symbols.first(address); tensor !== 0n; tensor = symbols.next(address, tensor)) yield tensor;
}

/** A tensor's own memory. */
function memoryOf({ arena, base }: Owner, tensor: bigint): DataView {
  const { size } = ABI.records.ggml_tensor;
  if (arena === null) return new DataView(externalBuffer(tensor, size, STATIC));
  return new DataView(arena.buffer, arena.byteOffset + Number(tensor - base), size);
}
