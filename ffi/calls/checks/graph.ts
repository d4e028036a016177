/**
 * What is looked at before a graph is computed: that its tensors have memory that can be reached, and lie in it, and that there is each operation;
 * on the CPU also what kernels don't check themselves (`kernels.ts`).
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
import { type Computer, cpuComputer } from "./computer.ts";
import { HandLook } from "./hand.ts";
import { checkIndices, type Index, type Indices, indicesOf, picksOf } from "./indices.ts";
import { type Kernels, kernelsOf, type Lib } from "./kernels.ts";
import { seenAnew } from "./laid_out.ts";
import { Node } from "./node.ts";
import { numbersOf } from "./say.ts";
import { outside } from "./views.ts";

/** What is known of a graph that was looked at, and how it is to be computed. */
export interface Good {
  /** The addresses of its nodes. */
  readonly nodes: BigUint64Array;
  /** True if one thread has to compute it. */
  readonly alone: boolean;
  /** The indices that nodes take. */
  readonly now: readonly Index[];
  /** Up to the nodes that take these indices first: they are to be looked at then. */
  readonly late: readonly Index[];
  /** The bytes of working memory that it needs, by the number of threads, as far as that was asked. */
  readonly work: Map<number, number>;
  /** How many changes there had been. */
  readonly changes: number;
  /** Which nodes are computed elsewhere. */
  readonly others: string;
}

/** Where a graph or a tensor is. */
export type Place = Pick<Handle, "address" | "owner">;

/**
 * Throws where computing a graph on the CPU would read or write what it shouldn't, or never end.
 *
 * @param where The function that is called.
 * @param isElsewhere Says which nodes are computed by something else than the CPU; by default none.
 */
export function expectComputable(where: string, lib: Lib, graph: Place, isElsewhere: ((node: bigint) => boolean) | null = null): Good {
  const good = lookAt(where, lib, graph, cpuComputer(), isElsewhere);
  for (const index of good.now) checkIndices(where, index);
  return good;
}

/**
 * Looks at a graph's nodes, once: again only when they are others, or a tensor's fields or memory changed. The indices that nodes take are not
 * looked at: they are data.
 *
 * @throws {Error} If a node can't be computed: which, and why.
 */
export function lookAt(
  where: string,
  lib: Lib,
  graph: Place,
  computer: Computer,
  isElsewhere: ((node: bigint) => boolean) | null = null,
): Good {
  const nodes = nodesOf(graph.address);
  const others = isElsewhere === null ? "" : Array.from(nodes, (node) => isElsewhere(node) ? 1 : 0).join("");
  const known = computer.good.get(graph.owner)?.get(graph.address);
  const isOld = known !== undefined && known.changes === changes.count && known.others === others && sameNodes(known.nodes, nodes);
  if (isOld && !changes.exposed) return known;
  const good = inspect(where, lib, graph, nodes, computer, others);
  let graphs = computer.good.get(graph.owner);
  if (graphs === undefined) computer.good.set(graph.owner, graphs = new Map());
  graphs.set(graph.address, good);
  return good;
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
  const look = new Look(where, lib, memory, result.owner, null);
  [...found].reverse().forEach((address, i) => look.node(BigInt(address), i));
}

const { fields } = ABI.records.ggml_tensor;

function inspect(where: string, lib: Lib, graph: Place, nodes: BigUint64Array, computer: Computer, others: string): Good {
  const memory = new TensorMemory(graph.owner);
  const look = new Look(where, lib, memory, graph.owner, computer);
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
  readonly #computer: Computer | null;
  /** The buffers that can be reached. */
  readonly #reachable: Set<number> = new Set();
  /** True once a node must be computed by one thread. */
  alone = false;
  /** True once a node takes indices without a look. */
  takes = false;

  /** @param computer What will compute the nodes; null for the CPU at some time, for nodes that aren't marked yet, and have no memory. */
  constructor(where: string, lib: Lib, memory: TensorMemory, owner: Owner, computer: Computer | null) {
    this.#where = where;
    this.#computer = computer;
    this.#hand = changes.byHand ? new HandLook(owner) : null;
    this.#lib = lib;
    this.#kernels = kernelsOf(lib);
    this.#memory = memory;
  }

  /** Throws unless a node can be computed. */
  node(address: bigint, number: number): void {
    const kernels = this.#kernels, memory = this.#memory, computer = this.#computer;
    memory.find(Number(address));
    const op = operation(memory.words[memory.at + fields.op / 4]), flags = memory.words[memory.at + fields.flags / 4];
    if (kernels.empty.has(op) || (computer !== null && !isMarked(this.#lib, flags))) return;
    const elements = elementsOf(memory);
    if (elements === 0) return;
    if (!(elements <= MOST_ELEMENTS)) this.#refuse(address, number, "its dimensions are negative or too large");
    this.#expectSources(address, number, kernels.takeEmpty.has(op));
    if (computer === null || computer.isCpu) this.#expectKernel(address, number, op);
    if (computer?.supports(address) === false) this.#refuse(address, number, `is not supported by the ${computer.name}`);
  }

  /** What the CPU's kernel of an operation doesn't check itself. */
  #expectKernel(address: bigint, number: number, op: number): void {
    const kernels = this.#kernels;
    const takes = picksOf(this.#lib).has(op);
    if (!takes && !kernels.table.has(op) && !kernels.alone.has(op)) return;
    const node = new Node(address, this.#memory);
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

  /** The tensor that was found last, the node or one of its sources, has memory, and lies in it. */
  #expectPlace(address: bigint, number: number, source: number | null): void {
    const memory = this.#memory, { words, at } = memory, computer = this.#computer;
    const isView = !isNull(words, at + fields.view_src / 4);
    if (isView && computer !== null) {
      const view = new Node(source === null ? address : BigInt(sourceOf(memory, address, source)), memory), reason = seenAnew(view);
      if (reason !== null) this.#refuse(address, number, reason, source);
      memory.find(Number(view.address));
    }
    if (computer === null || !computer.hasMemory) return;
    if (isNull(words, at + fields.data / 4)) {
      if (elementsOf(memory) !== 0) this.#refuse(address, number, NO_MEMORY, source);
      return;
    }
    const buffer = addressAt(words, at + fields.buffer / 4);
    const isKnown = buffer === 0 ? computer.reachesContexts : this.#reachable.has(buffer);
    if (!isView && isKnown && this.#hand === null) return;
    const tensor = new Node(source === null ? address : BigInt(sourceOf(memory, address, source)), memory);
    const reason = (isView ? outside(tensor) : null) ?? (isKnown ? null : this.#unreachable(buffer, computer)) ??
      this.#byHand(address, tensor, source);
    if (reason !== null) this.#refuse(address, number, reason, source);
  }

  #byHand(address: bigint, tensor: Node, source: number | null): string | null {
    if (this.#hand === null) return null;
    return source === null ? this.#hand.node(tensor) : this.#hand.source(tensor, new Node(address, this.#memory));
  }

  /** Why memory can't be reached: it may be in a context of its own, or another device's. */
  #unreachable(buffer: number, { name, reaches }: Computer): string | null {
    if (buffer === 0) return `is in the memory of a context, which the ${name} can't reach`;
    if (!reaches(BigInt(buffer))) return `is in a buffer that the ${name} can't reach`;
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

/** The most elements that a tensor may have: of any type, the bytes of so many can be counted. */
const MOST_ELEMENTS = 2 ** 48;
const EMPTY = "has no elements, and the result has some";
const NO_MEMORY = "has no memory: made with noAlloc, and to be allocated first (ggml_backend_alloc_ctx_tensors, ggml_gallocr_alloc_graph)";

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
