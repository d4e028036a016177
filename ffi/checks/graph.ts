/**
 * What is looked at before a graph is computed: that its tensors have memory, and what kernels don't check themselves (`kernels.ts`).
 *
 * A graph that was found good isn't looked at again until something changed: it has other nodes, a tensor's field was set, or an allocator placed
 * tensors anew. Indices are looked at each time: they are data.
 *
 * @module
 */

import type { Handle } from "../handle.ts";
import { ABI } from "../layouts.js";
import { library } from "../library.ts";
import type { Owner } from "../owner.ts";
import { changes } from "../changes.ts";
import { TensorMemory, WORD } from "../tensor_memory.ts";
import { nodeText, sourcesText } from "../tensor_text.ts";
import { type Kernels, kernelsOf, type Lib } from "./kernels.ts";
import { checkIndices, type Index, indicesOf } from "./indices.ts";
import { Node } from "./node.ts";

/** What is known of a graph that was looked at. */
interface Known {
  readonly nodes: BigUint64Array;
  readonly changes: number;
  readonly indices: readonly Index[];
}

/** Where a graph or a tensor is. */
type Place = Pick<Handle, "address" | "owner">;

/** The graphs that were found good, by the owner of their memory and their address in it. */
const good = new WeakMap<Owner, Map<bigint, Known>>();

/**
 * Throws where computing a graph on the CPU would read or write what it shouldn't, or never end.
 *
 * @param where The function that is called.
 * @param allocated Whether each tensor must have memory now: an allocator or a scheduler gives it later.
 */
export function expectComputable(where: string, lib: Lib, graph: Place, allocated = true): void {
  const nodes = nodesOf(graph.address);
  let known = good.get(graph.owner)?.get(graph.address);
  if (known === undefined || known.changes !== changes.count || !sameNodes(known.nodes, nodes)) {
    known = inspect(where, lib, graph, nodes, allocated);
    let graphs = good.get(graph.owner);
    if (graphs === undefined) good.set(graph.owner, graphs = new Map());
    if (allocated) graphs.set(graph.address, known);
  }
  for (const index of known.indices) checkIndices(where, index);
}

/** Throws where computing a tensor, and all that it is computed from, would do so, in graphs that C makes of it by itself. */
export function expectResultComputable(where: string, lib: Lib, result: Place): void {
  const memory = new TensorMemory(result.owner), found = new Set<number>([Number(result.address)]);
  for (const address of found) { // grows meanwhile
    memory.find(address);
    const { words, at } = memory;
    for (let i = at + fields.src / 4; i < at + fields.src / 4 + 2 * SOURCES; i += 2) {
      if (!isNull(words, i)) found.add(words[i] + words[i + 1] * WORD);
    }
  }
  const { indices } = inspect(where, lib, result, BigUint64Array.from([...found].reverse(), BigInt), false);
  for (const index of indices) checkIndices(where, index);
}

const { fields } = ABI.records.ggml_tensor;
const SOURCES = 10;

function inspect(where: string, lib: Lib, { owner }: Place, nodes: BigUint64Array, allocated: boolean): Known {
  const indices: Index[] = [];
  const kernels = kernelsOf(lib), memory = new TensorMemory(owner);
  const halves = new Uint32Array(nodes.buffer, nodes.byteOffset, 2 * nodes.length);
  for (let i = 0; i < nodes.length; i++) {
    memory.find(halves[2 * i] + halves[2 * i + 1] * WORD);
    const { words, at } = memory, op = words[at + fields.op / 4];
    if (kernels.empty.has(op) || isEmpty(words, at)) continue;
    expectDimensions(where, words, at, nodes[i], i);
    if (allocated) expectMemory(where, memory, nodes[i], i);
    if (!kernels.takeEmpty.has(op)) expectElements(where, memory, nodes[i], i);
    if (!kernels.table.has(op) && !kernels.picks.has(op)) continue;
    const node = new Node(nodes[i], memory);
    inspectNode(where, kernels, node, i);
    if (kernels.picks.has(op)) indices.push(...indicesOf(where, lib, node, i));
  }
  return { nodes: nodes.slice(), changes: changes.count, indices };
}

/** True for a tensor without elements. */
function isEmpty(words: Uint32Array, at: number): boolean {
  for (let i = at + fields.ne / 4; i < at + fields.nb / 4; i += 2) if (words[i] === 0 && words[i + 1] === 0) return true;
  return false;
}

/**
 * No dimension is negative, and all together don't overflow: C calculates what it calculates of a kernel larger than the data, multiplies it, and asks
 * for as much memory as is left of that.
 */
function expectDimensions(where: string, words: Uint32Array, at: number, node: bigint, number: number): void {
  let elements = 1;
  for (let i = at + fields.ne / 4; i < at + fields.nb / 4; i += 2) {
    const high = words[i + 1] | 0;
    elements = high < 0 ? NaN : elements * (high * WORD + words[i]);
  }
  if (elements <= MOST_ELEMENTS) return;
  const text = `${nodeText(library(), node)}): its dimensions are negative or too large; ${sourcesText(library(), node)}`;
  throw new Error(`${where}: node ${number} (${text}`);
}

/** Of any type, these have bytes that can be counted. */
const MOST_ELEMENTS = 2 ** 48;

/** A node and its sources have memory: with none, C uses whatever lies at a small address and an offset. */
function expectMemory(where: string, memory: TensorMemory, node: bigint, number: number): void {
  const { words, at } = memory;
  if (isNull(words, at + fields.data / 4)) throw new Error(`${where}: node ${number} (${nodeText(library(), node)}): ${NO_MEMORY}`);
  for (let i = 0; i < SOURCES; i++) {
    const field = at + fields.src / 4 + 2 * i;
    if (isNull(words, field)) continue;
    const source = words[field] + words[field + 1] * WORD;
    memory.find(source);
    if (!isNull(memory.words, memory.at + fields.data / 4) || isEmpty(memory.words, memory.at)) continue;
    const text = nodeText(library(), BigInt(source));
    throw new Error(`${where}: node ${number} (${nodeText(library(), node)}): its source ${i} (${text}) ${NO_MEMORY}`);
  }
}

/** A node that has elements is computed from some. */
function expectElements(where: string, memory: TensorMemory, node: bigint, number: number): void {
  memory.find(Number(node));
  const { words, at } = memory;
  for (let i = 0; i < SOURCES; i++) {
    const field = at + fields.src / 4 + 2 * i;
    if (isNull(words, field)) continue;
    memory.find(words[field] + words[field + 1] * WORD);
    if (!isEmpty(memory.words, memory.at)) continue;
    const text = `${nodeText(library(), node)}): its source ${i} has no elements, and the result has some`;
    throw new Error(`${where}: node ${number} (${text}; ${sourcesText(library(), node)}`);
  }
}

const NO_MEMORY = "has no memory: made with noAlloc, and not allocated by a backend";

function isNull(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0;
}

function inspectNode(where: string, { table }: Kernels, node: Node, number: number): void {
  const { address, op } = node;
  for (const check of table.get(op) ?? []) {
    const reason = check(node);
    if (reason === null) continue;
    throw new Error(`${where}: node ${number} (${nodeText(library(), address)}): ${reason}; ${sourcesText(library(), address)}`);
  }
}

/** True if two graphs have the same nodes. */
export function sameNodes(a: BigUint64Array, b: BigUint64Array): boolean {
  if (a.length !== b.length) return false;
  const x = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length), y = new Uint32Array(b.buffer, b.byteOffset, 2 * b.length);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

let count: ((graph: bigint) => number) | null = null;
let first: ((graph: bigint) => bigint) | null = null;

/** The addresses of a graph's nodes. */
export function nodesOf(graph: bigint): BigUint64Array {
  count ??= library().symbol("ggml_graph_n_nodes", { parameters: ["u64"], result: "i32" }) as (graph: bigint) => number;
  first ??= library().symbol("ggml_graph_nodes", { parameters: ["u64"], result: "u64" }) as (graph: bigint) => bigint;
  const n = count(graph);
  if (n === 0) return new BigUint64Array(0);
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(first(graph))!, 8 * n));
}
