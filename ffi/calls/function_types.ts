/**
 * What is special about single function types: the custom operators, what their calls are checked for, and what C gets from a callback that threw.
 *
 * That is a result with which C goes on to its end, or stops, without harm. As a rule it is zero, false or null. Where C would do harm with that, the
 * function type is named here.
 *
 * @module
 */

import { rules } from "../core/callback.ts";
import { describe } from "../core/describe.ts";
import type { Slot } from "../core/slots.ts";
import { functionTypes } from "./checks/rows.ts";

/** The custom operators among the function types: ggml calls them from every thread that computes. */
const OPERATORS: ReadonlySet<string> = new Set(["ggml_custom1_op_t", "ggml_custom2_op_t", "ggml_custom3_op_t", "ggml_custom_op_t"]);

/** The function types whose functions write what C reads as soon as they return. */
const WRITERS: ReadonlySet<string> = new Set([...OPERATORS, "llama_sampler_i_apply", "llama_model_set_tensor_data_t"]);

/** True once there was a custom operator in TypeScript: until then no graph need be searched for one. */
export let anyOperator = false;

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

rules.made = (type) => {
  if (OPERATORS.has(type)) anyOperator = true;
};

rules.check = (type, address, args) => {
  if (Object.hasOwn(functionTypes, type)) functionTypes[type](address, args);
};

/** TypeScript takes an async function where nothing is to be returned, and C would go on with numbers that aren't there yet. */
rules.returned = (type, value) => {
  if (!(value instanceof Promise) || !WRITERS.has(type)) return;
  throw new TypeError(
    `the result of a ${type}: expected nothing, got ${describe(value)}, for which C doesn't wait: it can't be an async function`,
  );
};

/** An operator's first argument is the node that it computes. */
rules.tellsCall = (type) => OPERATORS.has(type);

rules.whenGone = (type) => type === "ggml_abort_callback" ? 1n : 0n; // true is to abort

rules.whenFailed = (type, parameters, result, args) => {
  return Object.hasOwn(ANSWERS, type) ? ANSWERS[type](args, parameters, result) : result.zero;
};
