/**
 * What computations are using right now: a graph, and the objects by which it is computed.
 *
 * While C computes asynchronously, or calls a function in TypeScript, these can be neither freed (`Owner.hold`) nor changed, placed anew or
 * computed a second time: C would go on in memory that is gone, or wait for itself.
 *
 * @module
 */

import { lastly } from "./after.ts";
import type { Handle } from "./handle.ts";
import type { Owner } from "./owner.ts";

/** What uses each graph, by address, and what uses each of the other objects. */
const graphs: Map<bigint, string> = new Map();
const objects: Map<Owner, string[]> = new Map();

/**
 * Marks a graph, and what computes it, as in use.
 *
 * @param by The function that computes, for the errors.
 * @param graph The graph; null where it is nobody's but C's.
 * @param others A backend, a scheduler, an optimizer and the like.
 * @returns Ends that.
 */
export function use(by: string, graph: Pick<Handle, "address" | "owner"> | null, others: readonly Pick<Handle, "owner">[]): () => void {
  const why = `${by} is using it`, owners = others.map(({ owner }) => owner);
  const releases = [...owners, ...graph === null ? [] : [graph.owner]].map((owner) => owner.hold(why));
  if (graph !== null) graphs.set(graph.address, by);
  for (const owner of owners) objects.set(owner, [...objects.get(owner) ?? [], by]);
  return () => {
    for (const release of releases) release();
    if (graph !== null) graphs.delete(graph.address);
    for (const owner of owners) {
      const [, ...rest] = objects.get(owner)!;
      if (rest.length === 0) objects.delete(owner);
      else objects.set(owner, rest);
    }
  };
}

/** True while the computation itself changes what it uses. */
let exempt = false;

/** Has the computation that uses some objects change them. */
export function exempted<T>(change: () => T): T {
  const before = exempt;
  exempt = true;
  try {
    return change();
  } finally {
    exempt = before;
  }
}

/** Throws if a graph is being computed. */
export function expectIdleGraph(where: string, graph: Pick<Handle, "address">): void {
  const by = graphs.size === 0 || exempt ? undefined : graphs.get(graph.address);
  if (by !== undefined) throw new Error(`${where}: this graph is being computed by ${by}: wait until that has ended`);
}

/** The graphs that are being computed, and what computes each. */
export function graphsInUse(): Iterable<readonly [bigint, string]> {
  return graphs;
}

/** Throws if a graph that is being computed is computed by an object. */
export function expectIdle(where: string, { owner }: Pick<Handle, "owner">): void {
  const by = objects.size === 0 ? undefined : objects.get(owner);
  if (by !== undefined) throw new Error(`${where}: this ${owner.type} is being used by ${by[0]}: wait until that has ended`);
}

/** Throws if an object holds the memory of a graph that is being computed. */
export function expectUnused(where: string, { owner }: Pick<Handle, "owner">): void {
  const why = exempt ? null : owner.heldBy;
  if (why !== null) throw new Error(`${where}: this ${owner.type} can't be changed now: ${why}`);
}

/** What the next call of a function is going to use. */
interface Word {
  readonly name: string;
  readonly graph: Pick<Handle, "address" | "owner"> | null;
  readonly others: readonly Pick<Handle, "owner">[];
}

let word: Word | null = null;

/** True while the arguments of an asynchronous call are looked at. */
let meanwhile = false;

/** Looks at the arguments of an asynchronous call: others run meanwhile. */
export function withOthers<T>(look: () => T): T {
  const outer = meanwhile;
  meanwhile = true;
  try {
    return look();
  } finally {
    meanwhile = outer;
  }
}

/**
 * Leaves word of it, for {@linkcode using}.
 *
 * @param interrupted Whether there is a function that C may call back: nothing else can come between in a synchronous call.
 */
export function willUse(name: string, graph: Word["graph"], others: Word["others"], interrupted: boolean): void {
  if (interrupted || meanwhile) word = { name, graph, others };
}

/** A function that computes, by its bound symbol: what it uses is in use while it runs. */
// deno-lint-ignore no-explicit-any
export function using(name: string, symbol: (...args: any[]) => any): (...args: any[]) => any {
  return (...args) => {
    const taken = word;
    word = null;
    if (taken?.name !== name) return symbol(...args);
    // An asynchronous call has said before of what it was given that it is in use.
    const graph = taken.graph !== null && graphs.has(taken.graph.address) ? null : taken.graph;
    const others = taken.others.filter(({ owner }) => !objects.has(owner));
    return lastly(() => symbol(...args), use(name, graph, others));
  };
}
