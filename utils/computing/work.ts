/**
 * What a graph is about to do: a look at each of its nodes before C gets it.
 *
 * It finds what ggml would abort on or crash at (no memory, memory that the backend can't reach, an operation that it hasn't got) and
 * estimates how long the work takes. The estimate is rough; it only decides between one thread and several, and where to cut a graph.
 *
 * @module
 */

import { changes } from "../../ffi/calls/changes.ts";
import { nodesOf, sameNodes } from "../../ffi/calls/graph_nodes.ts";
import { externalBuffer } from "../../ffi/core/handle.ts";
import { ABI } from "../../ffi/generated/layouts.js";
import { lib } from "../../ffi/generated/lib.js";
import { operation } from "../../ffi/load/numbering.ts";
import type { Owner } from "../../ffi/core/owner.ts";

/** The work of a graph. */
export interface Work {
  /** The addresses of the nodes. */
  readonly nodes: BigUint64Array;
  /** About how long each node takes one thread, in nanoseconds. */
  readonly costs: Float64Array;
  /** Their sum. */
  readonly total: number;
  /** How many nodes there is something to compute for. */
  readonly busy: number;
}

/** What computes it. */
export interface Computer {
  readonly name: string;
  /** Whether each node must have its memory now. A scheduler allocates it later. */
  readonly allocated: boolean;
  /** Whether memory that no backend buffer holds, a context's own, will do. */
  readonly plainMemory: boolean;
  supports(node: lib.ggml_tensor): boolean;
  reaches(buffer: lib.ggml_backend_buffer): boolean;
}

const { type: TYPE, buffer: BUFFER, ne: NE, op: OP, src: SRC, data: DATA } = ABI.records.ggml_tensor.fields;
const TENSOR_BYTES = ABI.records.ggml_tensor.size;
const SOURCES = lib.GGML_MAX_SRC;

/** Operations that compute nothing. */
const EMPTY: ReadonlySet<number> = new Set([
  lib.GGML_OP_NONE,
  lib.GGML_OP_RESHAPE,
  lib.GGML_OP_VIEW,
  lib.GGML_OP_PERMUTE,
  lib.GGML_OP_TRANSPOSE,
]);

/** Operations that take a row of their first source, or a kernel, for each element. */
const PRODUCTS: ReadonlySet<number> = new Set([
  lib.GGML_OP_MUL_MAT,
  lib.GGML_OP_MUL_MAT_ID,
  lib.GGML_OP_OUT_PROD,
  lib.GGML_OP_FLASH_ATTN_EXT,
]);
const CONVOLUTIONS: ReadonlySet<number> = new Set([lib.GGML_OP_CONV_2D, lib.GGML_OP_CONV_3D, lib.GGML_OP_CONV_TRANSPOSE_2D]);

/**
 * Nanoseconds for an element and for a multiplication with its addition. Measured on one core of a 2-core x86-64 machine: additions 0.08,
 * soft_max 1.0, gelu 2.5; products 0.02 (Q8_0) to 0.07 (F32).
 */
const ELEMENT = 1, MULTIPLICATION = 0.05, NODE = 50;

/**
 * Reads tensors where they lie: most are in the memory of the graph's own context, for which no view need be made. Addresses are numbers here:
 * they have 48 bits, and a bigint a node would double the time.
 */
class Reader {
  readonly #owner: Owner;
  readonly #arena: DataView | null;
  readonly #base: number;
  readonly #end: number;
  readonly #views: Map<number, DataView> = new Map();
  #view: DataView = NOWHERE;
  #offset = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#arena = owner.arena;
    this.#base = Number(owner.base);
    this.#end = owner.arena === null ? 0 : owner.arena.byteLength - TENSOR_BYTES;
  }

  /** Turns to the tensor at an address. */
  seek(address: number): this {
    const offset = address - this.#base;
    if (offset >= 0 && offset <= this.#end && this.#arena !== null) {
      this.#view = this.#arena;
      this.#offset = offset;
      return this;
    }
    let view = this.#views.get(address);
    if (view === undefined) {
      view = new DataView(externalBuffer(BigInt(address), TENSOR_BYTES, this.#owner));
      this.#views.set(address, view);
    }
    this.#view = view;
    this.#offset = 0;
    return this;
  }

  int32(field: number): number {
    return this.#view.getInt32(this.#offset + field, true);
  }

  /** A pointer or an `int64_t` below 2^53. */
  int64(field: number): number {
    const at = this.#offset + field;
    return this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 2 ** 32;
  }

  ne(dimension: number): number {
    return this.int64(NE + 8 * dimension);
  }

  get elements(): number {
    return this.ne(0) * this.ne(1) * this.ne(2) * this.ne(3);
  }
}

const NOWHERE = new DataView(new ArrayBuffer(0));

/** The graphs that were looked at, by the owner of their memory and their address in it. */
const known = new WeakMap<Owner, Map<bigint, { readonly work: Work; readonly changes: number; readonly computer: Computer }>>();

/**
 * Looks at a graph's nodes, once: again only when they are others, or a tensor's fields or memory changed.
 *
 * @param where The function that will compute it, for errors.
 * @throws {Error} If a node can't be computed: which, and why.
 */
export function inspect(graph: lib.ggml_cgraph, computer: Computer, where: string): Work {
  const nodes = nodesOf(graph.address), last = known.get(graph.owner)?.get(graph.address);
  if (last?.changes === changes.count && last.computer === computer && sameNodes(last.work.nodes, nodes)) return last.work;
  const work = look(graph, nodes.slice(), computer, where);
  let graphs = known.get(graph.owner);
  if (graphs === undefined) known.set(graph.owner, graphs = new Map());
  graphs.set(graph.address, { work, changes: changes.count, computer });
  return work;
}

function look(graph: lib.ggml_cgraph, nodes: BigUint64Array, computer: Computer, where: string): Work {
  const costs = new Float64Array(nodes.length);
  const reader = new Reader(graph.owner);
  const check = new Check(graph, computer, reader, where);
  let total = 0, hash = nodes.length;
  for (let i = 0; i < nodes.length; i++) {
    const node = Number(nodes[i]);
    reader.seek(node);
    const op = operation(reader.int32(OP)), elements = reader.elements;
    hash = mix(mix(hash, op), reader.int32(TYPE));
    if (EMPTY.has(op) || elements === 0) continue;
    if (computer.allocated) check.tensor(i, null);
    reader.seek(node);
    const first = reader.int64(SRC);
    for (let source = 0; source < SOURCES; source++) {
      const address = source === 0 ? first : reader.seek(node).int64(SRC + 8 * source);
      if (address === 0) continue;
      hash = mix(hash, reader.seek(address).int32(TYPE)); // whether an operation is supported is a matter of types
      if (computer.allocated) check.tensor(i, source);
    }
    total += costs[i] = first === 0 ? NODE + elements * ELEMENT : costOf(reader.seek(first), op, elements);
  }
  if (!isSupported(graph, computer, hash)) {
    check.operations(nodes.length);
    supported.set(graph.address, { hash, computer: computer.name });
  }
  return { nodes, costs, total, busy: costs.reduce((count, cost) => cost > 0 ? count + 1 : count, 0) };
}

/** The graphs whose operations were found to be supported: asking for each node takes longer than computing a small one. */
const supported: Map<bigint, { hash: number; computer: string }> = new Map();
const MOST_GRAPHS = 1000;

function isSupported({ address }: lib.ggml_cgraph, { name }: Computer, hash: number): boolean {
  const known = supported.get(address);
  if (supported.size > MOST_GRAPHS) supported.clear();
  return known !== undefined && known.hash === hash && known.computer === name;
}

function mix(hash: number, value: number): number {
  return (Math.imul(hash, 31) + value) | 0;
}

/** About how long an operation takes, in nanoseconds. The reader is at its first source. */
function costOf(reader: Reader, op: number, elements: number): number {
  if (PRODUCTS.has(op)) return NODE + elements * reader.ne(0) * MULTIPLICATION;
  if (CONVOLUTIONS.has(op)) return NODE + elements * reader.ne(0) * reader.ne(1) * reader.ne(2) * MULTIPLICATION;
  return NODE + Math.max(elements, reader.elements) * ELEMENT;
}

/** The checks of one graph. */
class Check {
  readonly #graph: lib.ggml_cgraph;
  readonly #computer: Computer;
  readonly #reader: Reader;
  readonly #where: string;
  /** The buffers that were asked about. */
  readonly #reachable: Set<number> = new Set();

  constructor(graph: lib.ggml_cgraph, computer: Computer, reader: Reader, where: string) {
    this.#graph = graph;
    this.#computer = computer;
    this.#reader = reader;
    this.#where = where;
  }

  /** Throws unless the tensor that the reader is at, a node or one of its sources, has memory that can be reached. */
  tensor(index: number, source: number | null): void {
    const reader = this.#reader, { name, plainMemory } = this.#computer;
    if (reader.int64(DATA) === 0) {
      if (reader.elements === 0) return;
      throw this.#error(index, source, "has no data: allocate it first (ggml_backend_alloc_ctx_tensors, ggml_gallocr_alloc_graph)");
    }
    const buffer = reader.int64(BUFFER);
    if (buffer === 0 && !plainMemory) {
      throw this.#error(index, source, `is in the memory of a context, which the ${name} backend can't reach`);
    }
    if (buffer === 0 || this.#reachable.has(buffer)) return;
    if (!this.#computer.reaches(new lib.ggml_backend_buffer(BigInt(buffer), this.#graph.owner))) {
      throw this.#error(index, source, `is in a buffer that the ${name} backend can't reach`);
    }
    this.#reachable.add(buffer);
  }

  /** Throws unless every operation is supported. */
  operations(count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.#computer.supports(lib.ggml_graph_node(this.#graph, i))) continue;
      throw this.#error(i, null, `is not supported by the ${this.#computer.name} backend`);
    }
  }

  #error(index: number, source: number | null, what: string): Error {
    const node = lib.ggml_graph_node(this.#graph, index);
    const sources = node.src.filter((tensor) => tensor !== null).map(describeTensor);
    const subject = source === null ? "" : `, its source ${source} (${describeTensor(node.src[source]!)})`;
    return new Error(
      `${this.#where}: node ${index}, ${lib.ggml_op_desc(node)} (${describeTensor(node)} of ${
        sources.join(" and ") || "nothing"
      })${subject}, ${what}`,
    );
  }
}

function describeTensor(tensor: lib.ggml_tensor): string {
  const name = tensor.name === "" ? "" : `${JSON.stringify(tensor.name)}: `;
  return `${name}${lib.ggml_type_name(tensor.type)} ne=[${tensor.ne.join(", ")}]`;
}
