/**
 * Leafs of graphs that an allocator or a scheduler gives memory to.
 *
 * C keeps by a leaf's number which place it reserved for it. It looks for nodes and their sources whether that is large enough, and not for leafs: a
 * graph of as many nodes and leafs as the one before gets places that overlap where its leafs come in another order, and places that there are not where
 * those of the other had memory of their own. So memory is reserved anew where a leaf is larger than the one that it was reserved for.
 *
 * @module
 */

import { ABI } from "../../generated/layouts.js";
import type { lib as generated } from "../../generated/lib.js";
import type { Owner } from "../../core/owner.ts";
import { nodesOf } from "../graph_nodes.ts";
import { isPlaced, willPlace } from "../placement.ts";
import { TensorMemory } from "../tensor_memory.ts";
import { buffersOf } from "../told.ts";
import { leafsOf } from "./contexts.ts";
import { Node } from "./node.ts";
import { expectApart } from "./shared_places.ts";
import type { Lib } from "./say.ts";

type Gallocr = generated.ggml_gallocr;
type Graph = generated.ggml_cgraph;
type Sched = generated.ggml_backend_sched;

/** What memory was reserved for, at least: so many nodes, and leafs that are given so much. */
interface Reserved {
  readonly nodes: number;
  readonly leafs: readonly number[];
}

const reserved = new WeakMap<Owner, Reserved>();

const { fields } = ABI.records.ggml_tensor;

function needsOf(lib: Lib, graph: Graph): Reserved {
  const memory = new TensorMemory(graph.owner);
  return { nodes: nodesOf(graph.address).length, leafs: Array.from(leafsOf(lib, graph), (leaf) => bytesFor(Number(leaf), memory)) };
}

/** What a leaf is given: nothing where it has memory, or is a view; else its bytes and one, since C gives a place to what is empty, too. */
function bytesFor(leaf: number, memory: TensorMemory): number {
  memory.find(leaf);
  const { words, at } = memory, data = at + fields.data / 4, source = at + fields.view_src / 4;
  const isGiven = words[data] === 0 && words[data + 1] === 0 && words[source] === 0 && words[source + 1] === 0;
  return isGiven ? 1 + new Node(BigInt(leaf), memory).bytes : 0;
}

/** Notes that memory is reserved for a graph. */
export function reserves(lib: Lib, home: Gallocr | Sched, graph: Graph): void {
  reserved.set(home.owner, needsOf(lib, graph));
}

/** Whether C has a place for each leaf. */
function fits({ leafs }: Reserved, known: Reserved): boolean {
  return leafs.length === known.leafs.length && leafs.every((given, i) => given <= known.leafs[i]);
}

/** Sees to it that an allocator has places for a graph's leafs. */
export function fitAllocator(lib: Lib, galloc: Gallocr, graph: Graph): void {
  const name = "ggml_gallocr_alloc_graph";
  if (isPlaced(graph, galloc)) return;
  willPlace(graph, galloc, null);
  expectApart(name, graph, galloc);
  const known = reserved.get(galloc.owner), needs = needsOf(lib, graph);
  const isOther = known === undefined || known.nodes !== needs.nodes || known.leafs.length !== needs.leafs.length;
  if (isOther || fits(needs, known)) { // of others C sees itself that they are
    reserved.set(galloc.owner, needs);
    return;
  }
  if (buffersOf(galloc.address) !== 1) {
    throw new Error(`${name}(graph): its leafs are larger than those that memory was reserved for: call ggml_gallocr_reserve_n`);
  }
  under(name, "ggml_gallocr_reserve", () => lib.ggml_gallocr_reserve(galloc, graph));
}

/** Sees to it that a scheduler has room for a graph's leafs. It adds leafs of its own, so that nobody knows when C sees that a graph is another. */
export function fitScheduler(lib: Lib, sched: Sched, graph: Graph): void {
  if (isPlaced(graph, sched)) return;
  willPlace(graph, sched, lib.ggml_backend_sched_reset);
  expectApart("ggml_backend_sched_alloc_graph", graph, sched);
  const known = reserved.get(sched.owner), needs = needsOf(lib, graph);
  if (known === undefined || fits(needs, known)) reserved.set(sched.owner, needs);
  else under("ggml_backend_sched_alloc_graph", "ggml_backend_sched_reserve", () => lib.ggml_backend_sched_reserve(sched, graph));
}

/** Calls a function for another one, in whose name it fails. */
export function under<T>(name: string, inner: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(inner)) error.message = name + error.message.slice(inner.length);
    throw error;
  }
}
