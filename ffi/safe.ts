/**
 * What C gets from a callback that threw: a result with which it goes on to its end, or stops, without harm.
 *
 * As a rule that is zero, false or null. Where C would do harm with that, the function type is named here.
 *
 * @module
 */

import type { Slot } from "./slots.ts";

/** What a callback of one type answers after an exception, of the arguments that C passed. */
type Answer = (args: readonly unknown[], parameters: readonly Slot[], result: Slot) => unknown;

/** An optimizer's step that is too small to change anything; ggml asserts that it is above 0. */
const NO_STEP = 1e-38;

const ANSWERS: Readonly<Record<string, Answer>> = {
  /** True is to abort. */
  ggml_abort_callback: () => true,
  /** Asked whether it wants to see a node: yes, so that it is asked again after that node, and then says stop. */
  ggml_backend_sched_eval_callback: ([, ask]) => ask === true,
  ggml_opt_get_optimizer_params(_args, _parameters, result) {
    const bytes = new Uint8Array(result.zero as Uint8Array);
    // deno-lint-ignore no-explicit-any
    const params = result.fromC(bytes) as any;
    params.adamw.alpha = params.sgd.alpha = NO_STEP;
    params.adamw.beta1 = 0.9;
    params.adamw.beta2 = 0.999;
    return params.bytes;
  },
  /** libllama asserts that a sampler chose a token. */
  llama_sampler_i_apply([, tokens], [, slot]) {
    const array = slot.fromC(tokens) as { size: number; selected: number } | null;
    if (array !== null && array.size > 0 && array.selected < 0) array.selected = 0;
  },
};

/** The result that C gets from a callback of type `name` that threw. */
export function whenFailed(name: string, parameters: readonly Slot[], result: Slot, args: readonly unknown[]): unknown {
  return ANSWERS[name] === undefined ? result.zero : ANSWERS[name](args, parameters, result);
}
