/**
 * Guards of computing on the CPU: what its kernels assert of each node, before the first one runs.
 *
 * A graph that was found good isn't looked at again until it has other nodes. The indices that `ggml_get_rows` and its like are given are
 * looked at each time, where they are there beforehand: a wrong one aborts in the middle of the computation.
 *
 * @module
 */

import { named, tensor, type TensorHandle } from "./guard.ts";
import { whyNot, whyNotPlanned } from "./guard_kernels.ts";
import type { Handle } from "./handle.ts";
import { Kernels } from "./kernels.ts";
import { ABI } from "./layouts.js";
import type { lib as generated } from "./lib.js";
import { library } from "./library.ts";
import type { Owner } from "./owner.ts";
import { MAX_SOURCES, sourceAt, TensorMemory, WORD } from "./tensor_memory.ts";

/** The generated classes and enums, passed in: bindings of other headers have their own. */
type Lib = typeof generated;

/** What is known of the kernels that one set of bindings was generated from. */
interface Conditions {
  /** The text of `kernels.txt`. */
  readonly source: string;
  /** What it says, read when something is first computed. */
  kernels: Kernels | null;
  /** The fingerprints of nodes that the CPU can compute: of operation, parameters, types, shapes and strides. */
  readonly passed: Set<number>;
}

const conditionsOf = new WeakMap<object, Conditions>();

/** Tells what the kernels of the release assert that a set of bindings was generated from. */
export function expectKernels(lib: object, source: string): void {
  conditionsOf.set(lib, { source, kernels: null, passed: new Set() });
}

/** What is known of a graph that was looked at. */
interface Known {
  readonly nodes: BigUint64Array;
  readonly indices: readonly Index[];
}

/** Rows, and the tensor that says which. */
interface Index {
  readonly node: number;
  readonly indices: TensorHandle;
  readonly rows: number;
  readonly from: TensorHandle;
}

/** The graphs that were found good, by the owner of their memory and their address in it. */
const good = new WeakMap<Owner, Map<bigint, Known>>();

/**
 * Throws unless a backend can compute a graph.
 *
 * @param where The function that is called.
 * @param backend The backend; null for the CPU's. The CPU's kernels are known, others are asked whether they support each operation.
 * @throws {Error} If a node or one of its sources has no memory, or its operation isn't there for such types and shapes, or an index is out of range.
 */
export function guardCompute(where: string, lib: Lib, graph: Handle, backend: generated.ggml_backend | null = null): void {
  const nodes = nodesOf(graph);
  if (backend !== null && !lib.ggml_backend_is_cpu(backend)) return expectSupport(where, lib, graph, nodes, backend);
  let known = good.get(graph.owner)?.get(graph.address);
  if (known === undefined || !sameNodes(known.nodes, nodes)) {
    known = inspect(where, lib, graph, nodes);
    let graphs = good.get(graph.owner);
    if (graphs === undefined) good.set(graph.owner, graphs = new Map());
    graphs.set(graph.address, known);
  }
  for (const index of known.indices) checkIndices(where, lib, index);
}

/** Has a graph looked at again: its nodes were changed. */
export function forget(graph: Handle): void {
  good.get(graph.owner)?.delete(graph.address);
}

function expectSupport(where: string, lib: Lib, graph: Handle, nodes: BigUint64Array, backend: Handle): void {
  const supports = bind("ggml_backend_supports_op", ["u64", "u64"], "bool");
  nodes.forEach((address, i) => {
    if (supports(backend.address, address)) return;
    const node = new lib.ggml_tensor(address, graph.owner);
    const sources = node.src.filter((source) => source !== null).map((source) => tensor(source)).join(", ");
    throw new Error(`${where}: node ${i} (${describe(node)}): this backend has no implementation for ${sources}`);
  });
}

function inspect(where: string, lib: Lib, graph: Handle, nodes: BigUint64Array): Known {
  const passed = conditionsOf.get(lib)?.passed ?? new Set<number>();
  const indices: Index[] = [];
  const memory = new TensorMemory(graph.owner);
  const halves = new Uint32Array(nodes.buffer, nodes.byteOffset, 2 * nodes.length);
  for (let i = 0; i < nodes.length; i++) {
    memory.find(halves[2 * i] + halves[2 * i + 1] * WORD);
    const op = memory.words[memory.at + fields.op / 4];
    if (op === lib.GGML_OP_NONE) continue;
    const picks = picksRows(lib, op), print = fingerprint(memory);
    if (!picks && passed.has(print)) continue;
    const node = new lib.ggml_tensor(nodes[i], graph.owner);
    if (!passed.has(print)) inspectNode(where, lib, node, i);
    passed.add(print);
    const index = picks ? indexOf(where, lib, node, i) : null;
    if (index !== null) indices.push(index);
  }
  return { nodes: nodes.slice(), indices };
}

function inspectNode(where: string, lib: Lib, node: TensorHandle, number: number): void {
  const at = () => `${where}: node ${number} (${describe(node)})`;
  const sources = node.src.filter((source) => source !== null);
  const refuse = (reason: string | null) => {
    if (reason === null) return;
    throw new Error(`${at()}: ${reason}; ${sources.map((source, i) => `src[${i}] is ${tensor(source)}`).join(", ")}`);
  };
  refuse(whyNotPlanned(lib, node));
  if (node.ne.includes(0)) return;
  for (const tensor of [node, ...sources]) {
    if (tensor.data !== null || tensor.ne.includes(0)) continue;
    throw new Error(
      `${at()}: ${tensor === node ? "it" : describe(tensor)} has no memory: made with noAlloc, and not allocated by a backend`,
    );
  }
  try {
    check(lib, node);
  } catch (error) {
    throw named(error, at(), Object.fromEntries(sources.map((source, i) => [`src[${i}]`, tensor(source)])));
  }
  refuse(whyNot(lib, node));
  if (supports(node)) return;
  throw new Error(`${at()}: the CPU backend has no implementation for ${sources.map((source) => tensor(source)).join(", ")}`);
}

const { fields } = ABI.records.ggml_tensor;

/** The numbers of 32 bits that say what a node computes: those of the node itself, from `ne` up to its sources, and those of a source. */
const NODE_FROM = fields.ne / 4, NODE_TO = fields.src / 4, SOURCE_FROM = fields.ne / 4, SOURCE_TO = fields.op / 4;

/** A number that another node has only if it is the same operation on the same types, shapes and strides. The node is the one last found. */
function fingerprint(memory: TensorMemory): number {
  const { words, at } = memory;
  hash.start(words[at + fields.type / 4]);
  hash.addAll(words, at + NODE_FROM, at + NODE_TO);
  hash.add(isNull(words, at + fields.data / 4));
  for (let i = 0; i < MAX_SOURCES; i++) {
    const source = sourceAt(words, at, i);
    if (source === 0) hash.add(0);
    else addSource(memory, source);
  }
  return hash.value;
}

function addSource(memory: TensorMemory, address: number): void {
  memory.find(address);
  const { words, at } = memory;
  hash.add(words[at + fields.type / 4]);
  hash.addAll(words, at + SOURCE_FROM, at + SOURCE_TO);
  hash.add(isNull(words, at + fields.data / 4) + 2 * isNull(words, at + fields.buffer / 4));
}

function isNull(words: Uint32Array, at: number): number {
  return words[at] === 0 && words[at + 1] === 0 ? 1 : 0;
}

/** 53 bits of two multiplicative hashes, each of which multiplies and then shifts what is above down. */
class Hash {
  #a = 0;
  #b = 0;

  start(word: number): void {
    this.#a = 0x9e3779b9;
    this.#b = 0x7f4a7c15;
    this.add(word);
  }

  add(word: number): void {
    const a = Math.imul(this.#a ^ word, 0x85ebca6b), b = Math.imul(this.#b ^ word, 0xc2b2ae35);
    this.#a = a ^ a >>> 15;
    this.#b = b ^ b >>> 13;
  }

  addAll(words: Uint32Array, from: number, to: number): void {
    let a = this.#a, b = this.#b;
    for (let i = from; i < to; i++) {
      a = Math.imul(a ^ words[i], 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul(b ^ words[i], 0xc2b2ae35);
      b ^= b >>> 13;
    }
    this.#a = a;
    this.#b = b;
  }

  get value(): number {
    return (this.#a >>> 0) * 2 ** 21 + (this.#b >>> 11);
  }
}

const hash = new Hash();

/** True for the operations that are given indices. */
function picksRows(lib: Lib, op: number): boolean {
  return op === lib.GGML_OP_GET_ROWS || op === lib.GGML_OP_GET_ROWS_BACK || op === lib.GGML_OP_SET_ROWS || op === lib.GGML_OP_ADD_ID ||
    op === lib.GGML_OP_MUL_MAT_ID || op === lib.GGML_OP_SSM_SCAN;
}

/** The rows that an operation picks, if what picks them isn't computed itself. */
function indexOf(where: string, lib: Lib, node: TensorHandle, number: number): Index | null {
  const [first, second, third] = node.src;
  const of = (indices: TensorHandle | null, from: TensorHandle | null, dimension: number): Index | null =>
    indices === null || from === null ? null : indexIn(where, lib, number, indices, from, dimension);
  switch (node.op) {
    case lib.GGML_OP_GET_ROWS:
      return of(second, first, 1);
    case lib.GGML_OP_SET_ROWS:
    case lib.GGML_OP_GET_ROWS_BACK:
      return of(second, node, 1);
    case lib.GGML_OP_SSM_SCAN:
      return of(node.src[6], first, 3);
    case lib.GGML_OP_ADD_ID:
      return of(third, second, 1);
    case lib.GGML_OP_MUL_MAT_ID:
      return of(third, first, 2);
    default:
      return null;
  }
}

function indexIn(where: string, lib: Lib, node: number, operand: TensorHandle, from: TensorHandle, dimension: number): Index | null {
  const indices = holderOf(lib, operand), rows = from.ne[dimension];
  if (indices !== null) return { node, indices, rows, from };
  const highest = highestSorted(lib, operand);
  if (highest === null || highest < rows) return null;
  throw new RangeError(`${where}: node ${node}: ${describe(operand)} counts up to ${highest}, and ${describe(from)} has ${rows} of them`);
}

/** The highest index that is surely among those that `ggml_argsort` gives: the last, if it isn't asked for fewer; null for what isn't sorted. */
function highestSorted(lib: Lib, { op, view_src, ne, src: [first] }: TensorHandle): number | null {
  if (op === lib.GGML_OP_ARGSORT) return ne[0] - 1;
  if (op !== lib.GGML_OP_RESHAPE && op !== lib.GGML_OP_PERMUTE && op !== lib.GGML_OP_TRANSPOSE && op !== lib.GGML_OP_CONT) return null;
  return highestSorted(lib, (view_src ?? first)!);
}

/** The tensor that holds an operand's numbers before anything is computed; null where they are computed first. Copies are looked through. */
function holderOf(lib: Lib, operand: TensorHandle): TensorHandle | null {
  const { op, view_src, type, src: [first] } = operand;
  switch (op) {
    case lib.GGML_OP_NONE:
      return view_src === null || view_src.op === lib.GGML_OP_NONE ? operand : null;
    case lib.GGML_OP_RESHAPE:
    case lib.GGML_OP_VIEW:
    case lib.GGML_OP_PERMUTE:
    case lib.GGML_OP_TRANSPOSE:
      return view_src !== null && view_src.op === lib.GGML_OP_NONE ? operand : null;
    case lib.GGML_OP_DUP:
    case lib.GGML_OP_CONT:
    case lib.GGML_OP_CPY:
      return first !== null && first.type === type ? holderOf(lib, first) : null;
    default:
      return null;
  }
}

function checkIndices(where: string, lib: Lib, { node, indices, rows, from }: Index): void {
  const { ne, nb, data, type, buffer } = indices;
  if (buffer !== null && !bind("ggml_backend_buffer_is_host", ["u64"], "bool")(buffer.address)) return;
  const length = nb[0] + (ne[0] - 1) * nb[0] + (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
  if (!(length > 0)) return;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(data!.address)!, length));
  const isWide = type === lib.GGML_TYPE_I64;
  for (let i3 = 0; i3 < ne[3]; i3++) {
    for (let i2 = 0; i2 < ne[2]; i2++) {
      for (let i1 = 0; i1 < ne[1]; i1++) {
        const row = i1 * nb[1] + i2 * nb[2] + i3 * nb[3];
        for (let i0 = 0; i0 < ne[0]; i0++) {
          const at = row + i0 * nb[0];
          const index = isWide ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true);
          if (index >= 0 && index < rows) continue;
          throw new RangeError(
            `${where}: node ${node}: index ${index} at [${i0}, ${i1}, ${i2}, ${i3}] of ${describe(indices)} is out of range: ` +
              `${describe(from)} has ${rows} of them`,
          );
        }
      }
    }
  }
}

function nodesOf({ address }: Handle): BigUint64Array {
  const count = bind("ggml_graph_n_nodes", ["u64"], "i32")(address);
  const nodes = bind("ggml_graph_nodes", ["u64"], "u64")(address);
  if (count === 0) return new BigUint64Array(0);
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(nodes)!, 8 * count));
}

function sameNodes(a: BigUint64Array, b: BigUint64Array): boolean {
  if (a.length !== b.length) return false;
  const x = new Uint32Array(a.buffer), y = new Uint32Array(b.buffer); // numbers compare faster than bigints
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

function describe(node: TensorHandle): string {
  const { name, address } = node as TensorHandle & { name: string };
  const operation = Deno.UnsafePointerView.getCString(bind("ggml_op_desc", ["u64"], "pointer")(address));
  return `${operation}${name === "" ? "" : ` ${JSON.stringify(name)}`}: ${tensor(node)}`;
}

/** `ggml_backend_dev_supports_op` of the CPU's device. */
function supports(node: TensorHandle): boolean {
  device ??= bind("ggml_backend_reg_dev_get", ["u64", "usize"], "u64")(bind("ggml_backend_cpu_reg", [], "u64")(), 0n) as bigint;
  return bind("ggml_backend_dev_supports_op", ["u64", "u64"], "bool")(device, node.address);
}

let device: bigint | null = null;

/** Throws unless a node is as its kernel asserts; the bindings that were generated without the sources don't know. */
function check(lib: Lib, node: TensorHandle): void {
  const conditions = conditionsOf.get(lib);
  if (conditions === undefined) return;
  conditions.kernels ??= new Kernels(conditions.source);
  conditions.kernels.call("check", tensor(node));
}

// deno-lint-ignore no-explicit-any
const bound = new Map<string, any>();

/** A function of the library, bound when it is first needed. */
// deno-lint-ignore no-explicit-any
function bind(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): (...args: any[]) => any {
  let symbol = bound.get(name);
  if (symbol === undefined) bound.set(name, symbol = library().symbol(name, { parameters, result }));
  return symbol;
}
