/**
 * Looks at the nodes of a graph while a scheduler computes it: by its evaluation callback, which C asks before each node and tells after it.
 *
 * A node that isn't to be computed can't be refused there. So it is made a node that computes nothing until the computation is over, and what
 * follows is computed of whatever is in its memory.
 *
 * @module
 */

import { ABI } from "../../generated/layouts.js";
import type { Owner } from "../../core/owner.ts";
import { TensorMemory } from "../tensor_memory.ts";
import { nodesOf } from "../graph_nodes.ts";
import { Look, type Place } from "./graph.ts";
import { cpuComputer } from "./computer.ts";
import { checkIndices, type Index, indicesOf } from "./indices.ts";
import { kernelsOf, type Lib } from "./kernels.ts";
import { Node } from "./node.ts";
import { checkAt } from "./slices.ts";

/** Who is asked about the nodes of one computation. */
export abstract class Watch {
  /** The operations of the nodes that were made empty. */
  readonly #emptied: Map<bigint, number> = new Map();
  /** What was found, as the only element. */
  failure: readonly [unknown] | null = null;
  #wanted = false;

  /**
   * What the callback answers: before a node, whether to stop after it; after it, whether to go on.
   *
   * @param inner What it would answer without this; null for nothing.
   */
  answer(node: bigint, ask: boolean, inner: (() => boolean) | null): boolean {
    if (!ask) return (!this.#wanted || inner!()) && this.failure === null;
    try {
      this.look(node);
    } catch (error) {
      this.failure ??= [error];
    }
    if (this.failure !== null) this.#empty(node);
    this.#wanted = inner !== null && inner();
    return this.#wanted || this.failure !== null || this.stopsAfter(node);
  }

  /** Gives the nodes back what they compute. */
  restore(): void {
    for (const [node, op] of this.#emptied) operationOf(node).setUint32(0, op, true);
    this.#emptied.clear();
  }

  /** Throws where a node is not to be computed; what is before it may not be computed yet, but for what {@linkcode stopsAfter} names. */
  protected abstract look(node: bigint): void;

  /** True for a node that is to be computed before the next one is looked at. */
  protected abstract stopsAfter(node: bigint): boolean;

  #empty(node: bigint): void {
    const op = operationOf(node);
    if (!this.#emptied.has(node)) this.#emptied.set(node, op.getUint32(0, true));
    op.setUint32(0, ABI.enums.ggml_op.GGML_OP_NONE, true);
  }
}

/** Looks at the indices that a graph computes. */
export class IndexWatch extends Watch {
  readonly #where: string;
  readonly #late: readonly Index[];
  /** The numbers of the nodes that take them, by address. */
  readonly #takers: ReadonlyMap<bigint, number>;
  /** The nodes that come right before those. */
  readonly #before: ReadonlySet<bigint>;

  constructor(where: string, graph: Place, late: readonly Index[]) {
    super();
    const nodes = nodesOf(graph.address);
    this.#where = where;
    this.#late = late;
    this.#takers = new Map(late.map(({ node }) => [nodes[node], node]));
    this.#before = new Set(late.map(({ node }) => nodes[node - 1]));
  }

  protected override look(node: bigint): void {
    const taker = this.#takers.get(node);
    if (taker !== undefined) checkAt(this.#where, this.#late, taker);
  }

  protected override stopsAfter(node: bigint): boolean {
    return this.#before.has(node);
  }
}

/** Looks at the nodes of a graph that nobody has seen before: an optimizer's. Their number is their turn. */
export class NodeWatch extends Watch {
  readonly #where: string;
  readonly #lib: Lib;
  readonly #memory: TensorMemory;
  readonly #look: Look;
  readonly #nodes: (Node | null)[] = [];
  readonly #seen: Set<bigint> = new Set();

  constructor(where: string, lib: Lib, owner: Owner) {
    super();
    this.#where = where;
    this.#lib = lib;
    this.#memory = new TensorMemory(owner);
    this.#look = new Look(where, lib, this.#memory, owner, cpuComputer());
  }

  protected override look(address: bigint): void {
    const node = new Node(address, this.#memory), nodes = this.#nodes;
    if (this.#seen.has(address)) this.#begin();
    this.#seen.add(address);
    this.#look.node(address, nodes.length);
    nodes.push(kernelsOf(this.#lib).empty.has(node.op) ? null : node);
    if (!this.#look.takes) return;
    const { now, late } = indicesOf(this.#lib, nodes, nodes.length - 1);
    for (const index of now) checkIndices(this.#where, index);
    if (late.length > 0) {
      throw new Error(`${this.#where}: node ${nodes.length - 1} takes indices that the graph computes: they can't be looked at`);
    }
  }

  protected override stopsAfter(): boolean {
    return false;
  }

  /** The graph is computed again, or another one. */
  #begin(): void {
    this.#seen.clear();
    this.#nodes.length = 0;
  }
}

/** A node's operation, in memory. */
function operationOf(node: bigint): DataView {
  const address = node + BigInt(ABI.records.ggml_tensor.fields.op);
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 4));
}
