/**
 * `lib.async`: each C function as one that returns a promise, and has C work on another thread meanwhile.
 *
 * What they do is in `async_functions.js`, generated as the synchronous ones are, and in `async_call.ts`. Both are loaded by the first call: until then
 * there is this object, which makes up its functions when they are asked for.
 *
 * @module
 */

import { Handle } from "../core/handle.ts";
import { takeHearer, withHearer } from "./hearer.ts";
import { STATIC } from "../core/owner.ts";

type AsyncCalls = typeof import("./async_call.ts");

/** What an asynchronous call takes besides the function's own arguments. */
export interface AsyncOptions {
  /** Stops C, between two nodes of a graph, or two pieces of a model's file. The promise rejects with the signal's reason then. */
  signal?: AbortSignal;
}

/** The functions that C can be told to stop. */
export type Cancellable =
  | "ggml_backend_graph_compute"
  | "ggml_backend_sched_graph_compute"
  | "ggml_graph_compute"
  | "ggml_opt_epoch"
  | "ggml_opt_eval"
  | "ggml_opt_fit"
  | "llama_decode"
  | "llama_encode"
  | "llama_load_model_from_file"
  | "llama_model_load_from_file"
  | "llama_model_load_from_splits";

/** Functions, each with the same parameters, and the promise of its result. */
export type Asynchronous<Functions> = {
  readonly [Name in keyof Functions]: Functions[Name] extends (...args: infer Args) => infer Result
    ? (...args: Name extends Cancellable ? [...Args, options?: AsyncOptions] : Args) => Promise<Result>
    : never;
};

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;
type Functions = Record<string, AnyFunction>;

/** What is loaded by the first call: the functions that call C on another thread. */
interface Loaded {
  readonly functions: Functions;
  readonly withOptions: AsyncCalls["withOptions"];
}

interface State {
  readonly functions: Functions;
  readonly load: () => Promise<Functions>;
  loaded: Loaded | null;
}

/**
 * The asynchronous forms of functions.
 *
 * @param functions The synchronous ones, and whatever else is in that object.
 * @param load Loads those that call C on another thread.
 */
export function asynchronous(functions: Functions, load: () => Promise<Functions>): object {
  const state: State = { functions, load, loaded: null };
  const get = (made: Functions, name: string | symbol) =>
    typeof name === "string" && isFunction(functions, name) ? made[name] ??= make(state, name) : undefined;
  return new Proxy(Object.create(null) as Functions, {
    get,
    has: (_, name) => typeof name === "string" && isFunction(functions, name),
    ownKeys: () => Object.keys(functions).filter((name) => isFunction(functions, name)),
    getOwnPropertyDescriptor: (made, name) => {
      const value = get(made, name);
      return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}

/** True for a C function. Classes have a prototype, which methods haven't. */
function isFunction(functions: Functions, name: string): boolean {
  return Object.hasOwn(functions, name) && typeof functions[name] === "function" && !("prototype" in functions[name]);
}

/** The function of that name. */
function make(state: State, name: string): AnyFunction {
  const { length } = state.functions[name];
  const call = async (...args: unknown[]) => {
    const hearer = takeHearer();
    const { functions, withOptions } = state.loaded ?? await load(state, name, args);
    if (!Object.hasOwn(functions, name)) return state.functions[name](...args); // a macro, computed here
    return await withOptions(name, args[length], () => withHearer(hearer, () => functions[name](...args.slice(0, length))));
  };
  return Object.defineProperties(call, { name: { value: name }, length: { value: length } });
}

/** Loads them. Nobody frees meanwhile what the call is going to use. */
async function load(state: State, name: string, args: readonly unknown[]): Promise<Loaded> {
  const release = hold(args, `lib.async.${name} is using it`);
  try {
    const [functions, { withOptions }] = await Promise.all([state.load(), import("./async_call.ts")]);
    return state.loaded = { functions, withOptions };
  } finally {
    release();
  }
}

/** Has nobody free what handles stand for, those in arrays among them. Gives what ends that. */
export function hold(values: readonly unknown[], why: string): () => void {
  const releases = values.flat().flatMap((value) => value instanceof Handle && value.owner !== STATIC ? [value.owner.hold(why)] : []);
  return () => {
    for (const release of releases) release();
  };
}
