/**
 * What was found out about a graph just before the call that computes it, for whoever makes that call (`../threads.ts`).
 *
 * @module
 */

import type { Owner } from "../../core/owner.ts";
import type { Good, Place } from "./graph.ts";
import type { Lib } from "./kernels.ts";

/** A graph that can't be computed by one call on as many threads as were asked for. */
export interface Pending extends Pick<Good, "alone" | "late"> {
  readonly where: string;
  readonly lib: Lib;
  readonly graph: Place;
}

let pending: Pending | null = null;

/** Leaves word of a graph that is about to be computed. */
export function leaveWord(where: string, lib: Lib, graph: Place, good: Good): void {
  pending = good.alone || good.late.length > 0 ? { alone: good.alone, late: good.late, where, lib, graph } : null;
}

/** Takes the word that was left of the graph at an address; null where there is nothing special about it. */
export function takeWord(graph: bigint): Pending | null {
  const word = pending;
  pending = null;
  return word?.graph.address === graph ? word : null;
}

/** An optimizer that is about to compute graphs of its own. */
export interface Training {
  readonly where: string;
  readonly lib: Lib;
  readonly owner: Owner;
}

let training: Training | null = null;

/** Leaves word of it. */
export function leaveTraining(word: Training): void {
  training = word;
}

/** Takes that word. */
export function takeTraining(): Training | null {
  const word = training;
  training = null;
  return word;
}

/** What an optimizer does before it allocates a graph; the result is done afterwards. */
export type Making = () => () => void;

let making: Making | null = null;

/** Leaves word of it. */
export function leaveMaking(word: Making): void {
  making = word;
}

/** Takes that word. */
export function takeMaking(): Making | null {
  const word = making;
  making = null;
  return word;
}
