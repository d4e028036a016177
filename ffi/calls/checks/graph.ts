/**
 * What is looked at before a graph is computed on the CPU: that its tensors have memory, and lie in it, and what kernels don't check themselves
 * (`kernels.ts`).
 *
 * A graph that was found good isn't looked at again until something changed: it has other nodes, a tensor's field was set, or an allocator placed
 * tensors anew. Indices are looked at each time: they are data.
 *
 * @module
 */

import { changes } from "../changes.ts";
import { nodesOf, sameNodes } from "../graph_nodes.ts";
import type { Handle } from "../../core/handle.ts";
import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { isMissing, operation } from "../../load/numbering.ts";
import type { Owner } from "../../core/owner.ts";
import { MAX_SOURCES, sourceAt, TensorMemory, WORD } from "../tensor_memory.ts";
import { nodeText, sourcesText } from "../../load/tensor_text.ts";
import { HandLook } from "./hand.ts";
import { checkIndices, type Index, type Indices, indicesOf, picksOf } from "./indices.ts";
import { type Kernels, kernelsOf, type Lib } from "./kernels.ts";
import { Node } from "./node.ts";
import { numbersOf } from "./say.ts";
import { outside } from "./views.ts";

/** How a graph that may be computed is to be computed. */
export interface Good {
  /** By one thread. */
  readonly alone: boolean;
  /** Up to the nodes that take these indices first: they are to be looked at then. */
  readonly late: readonly Index[];
  /** The bytes of working memory that it needs, by the number of threads, as far as that was asked. */
  readonly work: Map<number, number>;
}

/** What is known of a graph that was looked at. */
interface Known extends Good {
  readonly nodes: BigUint64Array;
  readonly changes: number;
  /** Which nodes are computed elsewhere. */
  readonly others: string;
  readonly now: readonly Index[];
}

/** Where a graph or a tensor is. */
export type Place = Pick<Handle, "address" | "owner">;

/** The graphs that were found good, by the owner of their memory and their address in it. */
const good = new WeakMap<Owner, Map<bigint, Known>>();

/**
 * Throws where computing a graph on the CPU would read or write what it shouldn't, or never end.
 *
 * @param where The function that is called.
 * @param isElsewhere Says which nodes are computed by something else than the CPU; by default none.
 */
export function expectComputable(where: string, lib: Lib, graph: Place, isElsewhere: ((node: bigint) => boolean) | null = null): Good {
  const nodes = nodesOf(graph.address);
  const others = isElsewhere === null ? "" : Array.from(nodes, (node) => isElsewhere(node) ? 1 : 0).join("");
  let known = good.get(graph.owner)?.get(graph.address);
  const isNew = known === undefined || known.changes !== changes.count || known.others !== others || !sameNodes(known.nodes, nodes);
  if (known === undefined || isNew || changes.exposed) {
    known = inspect(where, lib, graph, nodes, others);
    let graphs = good.get(graph.owner);
    if (graphs === undefined) good.set(graph.owner, graphs = new Map());
    graphs.set(graph.address, known);
  }
  for (const index of known.now) checkIndices(where, index);
  return known;
}

/**
 * Throws where computing a tensor, and all that it is computed from, would do so, in graphs that C makes of it by itself. Memory and indices are
 * looked at while it computes them.
 */
export function expectResultComputable(where: string, lib: Lib, result: Place): void {
  const memory = new TensorMemory(result.owner), found = new Set<number>([Number(result.address)]);
  for (const address of found) { // grows meanwhile
    for (let i = 0; i < MAX_SOURCES; i++) {
      memory.find(address);
      const source = sourceAt(memory.words, memory.at, i);
      if (source !== 0) found.add(source);
    }
  }
  const look = new Look(where, lib, memory, result.owner, false);
  [...found].reverse().forEach((address, i) => look.node(BigInt(address), i));
}

const { fields } = ABI.records.ggml_tensor;

function inspect(where: string, lib: Lib, graph: Place, nodes: BigUint64Array, others: string): Known {
  const memory = new TensorMemory(graph.owner);
  const look = new Look(where, lib, memory, graph.owner);
  for (let i = 0; i < nodes.length; i++) if (others[i] !== "1") look.node(nodes[i], i);
  const { now, late } = look.takes ? lookUp(lib, nodes, others, memory) : NONE;
  return { nodes: nodes.slice(), changes: changes.count, others, alone: look.alone, now, late, work: new Map() };
}

const NONE: Indices = { now: [], late: [] };

function lookUp(lib: Lib, nodes: BigUint64Array, others: string, memory: TensorMemory): Indices {
  const { empty } = kernelsOf(lib);
  return indicesOf(
    lib,
    Array.from(nodes, (address, i) => {
      const node = new Node(address, memory);
      const isComputed = isMarked(lib, node.flags) && !empty.has(node.op) && node.elements !== 0;
      return isComputed && others[i] !== "1" ? node : null;
    }),
  );
}

/** True for what ggml doesn't leave out. Releases before the flag was there leave nothing out. */
function isMarked(lib: Lib, flags: number): boolean {
  const mark = numbersOf(lib).GGML_TENSOR_FLAG_COMPUTE;
  return mark === undefined || isMissing("GGML_TENSOR_FLAG_COMPUTE") || (flags & mark) !== 0;
}

/** A look at the nodes of one graph, one by one. */
export class Look {
  readonly #where: string;
  readonly #lib: Lib;
  readonly #kernels: Kernels;
  readonly #memory: TensorMemory;
  readonly #hand: HandLook | null;
  readonly #isPlaced: boolean;
  /** The buffers that the CPU can reach. */
  readonly #reachable: Set<number> = new Set();
  /** True once a node must be computed by one thread. */
  alone = false;
  /** True once a node takes indices without a look. */
  takes = false;

  /** @param isPlaced Whether the nodes are about to be computed: they have memory, and are marked. */
  constructor(where: string, lib: Lib, memory: TensorMemory, owner: Owner, isPlaced = true) {
    this.#where = where;
    this.#isPlaced = isPlaced;
    this.#hand = changes.byHand ? new HandLook(owner) : null;
    this.#lib = lib;
    this.#kernels = kernelsOf(lib);
    this.#memory = memory;
  }

  /** Throws unless a node can be computed. */
  node(address: bigint, number: number): void {
    const kernels = this.#kernels, memory = this.#memory;
    memory.find(Number(address));
    const op = operation(memory.words[memory.at + fields.op / 4]), flags = memory.words[memory.at + fields.flags / 4];
    if (kernels.empty.has(op) || (this.#isPlaced && !isMarked(this.#lib, flags))) return;
    const elements = elementsOf(memory);
    if (elements === 0) return;
    if (!(elements <= MOST_ELEMENTS)) this.#refuse(address, number, "its dimensions are negative or too large");
    this.#expectSources(address, number, kernels.takeEmpty.has(op));
    const takes = picksOf(this.#lib).has(op);
    if (!takes && !kernels.table.has(op) && !kernels.alone.has(op)) return;
    const node = new Node(address, memory);
    for (const check of kernels.table.get(op) ?? []) {
      const reason = check(node);
      if (reason !== null) this.#refuse(address, number, reason);
    }
    this.takes ||= takes;
    this.alone ||= kernels.alone.get(op)?.(node) === true;
  }

  /**
   * A node and its sources have memory, and lie in it: with none, C uses whatever is at a small address and an offset. And a node that has elements
   * is computed from some, but for operations that may have empty sources.
   */
  #expectSources(address: bigint, number: number, mayBeEmpty: boolean): void {
    const memory = this.#memory;
    this.#expectPlace(address, number, null);
    for (let i = 0; i < MAX_SOURCES; i++) {
      memory.find(Number(address));
      const source = sourceAt(memory.words, memory.at, i);
      if (source === 0) continue;
      memory.find(source);
      if (!mayBeEmpty && elementsOf(memory) === 0) this.#refuse(address, number, EMPTY, i);
      this.#expectPlace(address, number, i);
    }
  }

  /** The same of the tensor that was found last: the node, or one of its sources. */
  #expectPlace(address: bigint, number: number, source: number | null): void {
    const memory = this.#memory, { words, at } = memory;
    if (!this.#isPlaced) return;
    if (isNull(words, at + fields.data / 4)) {
      if (elementsOf(memory) !== 0) this.#refuse(address, number, NO_MEMORY, source);
      return;
    }
    const buffer = addressAt(words, at + fields.buffer / 4), isReachable = buffer === 0 || this.#reachable.has(buffer);
    const isView = !isNull(words, at + fields.view_src / 4);
    if (!isView && isReachable && this.#hand === null) return;
    const tensor = new Node(source === null ? address : BigInt(sourceOf(memory, address, source)), memory);
    const reason = (isView ? outside(tensor) : null) ?? (isReachable ? null : this.#unreachable(buffer)) ??
      this.#byHand(address, tensor, source);
    if (reason !== null) this.#refuse(address, number, reason, source);
  }

  #byHand(address: bigint, tensor: Node, source: number | null): string | null {
    if (this.#hand === null) return null;
    return source === null ? this.#hand.node(tensor) : this.#hand.source(tensor, new Node(address, this.#memory));
  }

  /** Why the CPU can't reach a buffer: it may be in a device's memory. */
  #unreachable(buffer: number): string | null {
    if (!isReachable(BigInt(buffer))) return "is in memory that the CPU can't reach";
    this.#reachable.add(buffer);
    return null;
  }

  #refuse(address: bigint, number: number, reason: string, source: number | null = null): never {
    const whose = source === null ? "" : `src[${source}] (${nodeText(library(), BigInt(sourceOf(this.#memory, address, source)))}) `;
    const sources = sourcesText(library(), address);
    throw new Error(
      `${this.#where}: node ${number} (${nodeText(library(), address)}): ${whose}${reason}${sources === "" ? "" : `; ${sources}`}`,
    );
  }
}

/** Of any type, so many have bytes that can be counted. */
const MOST_ELEMENTS = 2 ** 48;
const EMPTY = "has no elements, and the result has some";
const NO_MEMORY = "has no memory: made with noAlloc, and not allocated by a backend";

let supports: ((buffer: bigint) => boolean) | null = null;

/** `ggml_backend_dev_supports_buft`, of the CPU. */
function isReachable(buffer: bigint): boolean {
  if (supports === null) {
    const u64 = (name: string, ...parameters: Deno.NativeType[]) =>
      library().symbol(name, { parameters, result: "u64" }) as (...args: (bigint | number)[]) => bigint;
    const typeOf = u64("ggml_backend_buffer_get_type", "u64");
    const device = u64("ggml_backend_reg_dev_get", "u64", "u64")(u64("ggml_backend_cpu_reg")(), 0n);
    const ask = library().symbol("ggml_backend_dev_supports_buft", { parameters: ["u64", "u64"], result: "bool" });
    supports = (buffer) => (ask as (device: bigint, type: bigint) => boolean)(device, typeOf(buffer));
  }
  return supports(buffer);
}

function sourceOf(memory: TensorMemory, node: bigint, i: number): number {
  memory.find(Number(node));
  return sourceAt(memory.words, memory.at, i);
}

/** How many elements a tensor has; NaN where a dimension is negative: C calculates some of them as they come, and multiplies them. */
function elementsOf({ words, at }: TensorMemory): number {
  let elements = 1;
  for (let i = at + fields.ne / 4; i < at + fields.nb / 4; i += 2) {
    const count = (words[i + 1] | 0) * WORD + words[i];
    elements = count < 0 ? NaN : elements * count;
  }
  return elements;
}

function addressAt(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * WORD;
}

function isNull(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0;
}
