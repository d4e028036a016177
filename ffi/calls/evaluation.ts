/**
 * Evaluation callbacks of schedulers: who else wants to be asked while one computes.
 *
 * A scheduler has one such callback, and C doesn't tell which. So the function that sets it is watched where it is bound, and whoever watches a
 * computation asks the scheduler's own callback in turn, and leaves it there afterwards.
 *
 * @module
 */

import { lastly, type Later } from "../core/after.ts";
import { callNow } from "./call_now.ts";
import type { Watch } from "./checks/node_watch.ts";
import { lookOn } from "../core/failure.ts";
import { addressOf } from "../core/handle.ts";
import { gateTo } from "../load/library.ts";
import { failComputing, Failure } from "../native/trap.ts";

/** A scheduler's own callback, as C was given it. */
interface Evaluation {
  readonly callback: bigint;
  readonly data: Uint8Array<ArrayBuffer> | null;
}

const evaluations: Map<bigint, Evaluation> = new Map();

/** Notes what a scheduler's callback was set to. */
export function setEvaluation(scheduler: bigint, callback: bigint, data: Uint8Array<ArrayBuffer> | null): void {
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
  return (node, ask) => f.call(node, ask, own.data);
}

/**
 * Has C ask another callback than the scheduler's own.
 *
 * @param data What C passes to it.
 * @returns Ends that.
 */
export function replaceEvaluation(scheduler: bigint, callback: bigint, data = 0n): () => void {
  set(scheduler, callback, data);
  return () => {
    const own = evaluations.get(scheduler);
    set(scheduler, own?.callback ?? 0n, own === undefined || own.data === null ? 0n : addressOf(own.data));
  };
}

const DEFINITION = { parameters: ["u64", "bool", "u64"], result: "bool" } as const;

/** The computations under way that are watched, by their schedulers. */
const watches: Map<bigint, { readonly watch: Watch; readonly own: Ask | null }> = new Map();

/** The callback that they ask, as C calls it. */
let asked: bigint | null = null;

/** Runs a computation of a scheduler's, and has it watched. */
export function watched<T>(scheduler: bigint, watch: Watch, compute: () => Later<T>): Later<T> {
  asked ??= gateTo(
    new Deno.UnsafeCallback(DEFINITION, (node, ask, scheduler) => {
      const { watch, own } = watches.get(scheduler)!;
      return lookOn(() => watch.answer(node, ask, own === null ? null : () => own(node, ask)));
    }),
  ).address;
  watches.set(scheduler, { watch, own: evaluationOf(scheduler) });
  const restore = replaceEvaluation(scheduler, asked, scheduler);
  const result = lastly(compute, () => {
    watches.delete(scheduler);
    restore();
    watch.restore();
  });
  if (result instanceof Promise) return result.then((value) => expectGood(watch, value));
  if (watch.failure !== null) failComputing(watch.failure[0] as Error);
  return result;
}

/** What C answered on another thread, unless what a watch saw was wrong. */
function expectGood<T>({ failure }: Watch, value: T): T {
  if (failure === null) return value;
  const error = failure[0] as Error;
  throw new Failure({ inKernel: true, text: error.message }, error);
}

function set(scheduler: bigint, callback: bigint, data: bigint): void {
  callNow("ggml_backend_sched_set_eval_callback", ["u64", "u64", "u64"], "void", scheduler, callback, data);
}
