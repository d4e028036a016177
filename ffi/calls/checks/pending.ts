/**
 * What was found out about a graph just before the call that computes it, for whoever makes that call (`../threads.ts`).
 *
 * @module
 */

import type { Owner } from "../../core/owner.ts";
import type { Good, Place } from "./graph.ts";
import type { Lib } from "./kernels.ts";

/** Word that is left for whoever makes the call that comes next, and taken once. */
class Word<T> {
  #left: T | null = null;

  leave(word: T | null): void {
    this.#left = word;
  }

  take(): T | null {
    const word = this.#left;
    this.#left = null;
    return word;
  }
}

/** A graph that can't be computed by one call on as many threads as were asked for. */
export interface Pending extends Pick<Good, "alone" | "late"> {
  readonly where: string;
  readonly lib: Lib;
  readonly graph: Place;
}

const pending = new Word<Pending>();

/** Leaves word of a graph that is about to be computed. */
export function leaveWord(where: string, lib: Lib, graph: Place, good: Good): void {
  pending.leave(good.alone || good.late.length > 0 ? { alone: good.alone, late: good.late, where, lib, graph } : null);
}

/** Takes the word that was left of the graph at an address; null where there is nothing special about it. */
export function takeWord(graph: bigint): Pending | null {
  const word = pending.take();
  return word?.graph.address === graph ? word : null;
}

/** An optimizer that is about to compute graphs of its own. */
export interface Training {
  readonly where: string;
  readonly lib: Lib;
  readonly owner: Owner;
}

/** Word of such an optimizer. */
export const training: Word<Training> = new Word();

/** What an optimizer does before it allocates a graph; the result is done afterwards. */
export type Preparing = () => () => void;

/** Word of what an optimizer does then. */
export const preparing: Word<Preparing> = new Word();
