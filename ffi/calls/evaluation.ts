/**
 * Evaluation callbacks of schedulers: who else wants to be asked while one computes.
 *
 * A scheduler has one such callback, and C doesn't tell which. So the function that sets it is watched where it is bound, and whoever watches a
 * computation asks the scheduler's own callback in turn, and leaves it there afterwards.
 *
 * @module
 */

import type { Watch } from "./checks/node_watch.ts";
import { library } from "../load/library.ts";
import { failComputing } from "../native/trap.ts";

/** A scheduler's own callback, as C was given it. */
interface Evaluation {
  readonly callback: bigint;
  readonly data: Uint8Array | null;
}

const evaluations: Map<bigint, Evaluation> = new Map();

/** Notes what a scheduler's callback was set to. */
export function setEvaluation(scheduler: bigint, callback: bigint, data: Uint8Array | null): void {
  if (callback === 0n) evaluations.delete(scheduler);
  else evaluations.set(scheduler, { callback, data });
}

/** Asks a scheduler's own callback; null where it has none. */
export type Ask = (node: bigint, ask: boolean) => boolean;

const ASK = { parameters: ["u64", "bool", "buffer"], result: "bool" } as const;

/** A scheduler's own callback, to be asked by whoever is asked in its place. */
export function evaluationOf(scheduler: bigint): Ask | null {
  const own = evaluations.get(scheduler);
  if (own === undefined) return null;
  const f = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(own.callback) as Deno.PointerObject<never>, ASK);
  return (node, ask) => f.call(node, ask, own.data as Uint8Array<ArrayBuffer> | null);
}

/**
 * Has C ask another callback than the scheduler's own.
 *
 * @returns Ends that.
 */
export function replaceEvaluation(scheduler: bigint, callback: bigint): () => void {
  set(scheduler, callback, null);
  return () => {
    const own = evaluations.get(scheduler);
    set(scheduler, own?.callback ?? 0n, own?.data ?? null);
  };
}

const DEFINITION = { parameters: ["u64", "bool", "u64"], result: "bool" } as const;

/** The computations under way that are watched, innermost last. */
const watches: { readonly watch: Watch; readonly own: Ask | null }[] = [];

let asked: Deno.UnsafeCallback<typeof DEFINITION> | null = null;

/** Runs a computation of a scheduler's on this thread, and has it watched. */
export function watched<T>(scheduler: bigint, watch: Watch, compute: () => T): T {
  asked ??= new Deno.UnsafeCallback(DEFINITION, (node, ask) => {
    const { watch, own } = watches[watches.length - 1];
    return watch.answer(node, ask, own === null ? null : () => own(node, ask));
  });
  watches.push({ watch, own: evaluationOf(scheduler) });
  const restore = replaceEvaluation(scheduler, BigInt(Deno.UnsafePointer.value(asked.pointer)));
  let result: T;
  try {
    result = compute();
  } finally {
    watches.pop();
    restore();
    watch.restore();
  }
  if (watch.failure !== null) failComputing(watch.failure[0] as Error);
  return result;
}

function set(scheduler: bigint, callback: bigint, data: Uint8Array | null): void {
  const name = "ggml_backend_sched_set_eval_callback";
  const symbol = library().symbol(name, { parameters: ["u64", "u64", "buffer"], result: "void" });
  (symbol as (...args: unknown[]) => void)(scheduler, callback, data);
}
