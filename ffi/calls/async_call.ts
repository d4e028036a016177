/**
 * An asynchronous call, as the generated functions of `async_functions.js` make it once their arguments are checked.
 *
 * Until it settles, what it was given may be neither freed nor collected, a graph may be neither changed nor computed again, and what C may change (a
 * pointer that isn't to `const`, to what has a function to free it) may not be used at all, but by callbacks of the call: any of that is an Error.
 *
 * Whoever fails first is what the promise rejects with: the signal, a callback's exception, C.
 *
 * @module
 */

import type { Abi } from "../load/abi.ts";
import type { AsyncOptions } from "./async.ts";
import { expectOptions, expectSignal } from "../core/options.ts";
import { spoilChanged } from "./half_done.ts";
import { withOthers } from "../core/in_use.ts";
import { expectLlama, library } from "../load/library.ts";
import { asideBinder, type CallArguments, RunningCall, type Spec } from "./running_call.ts";
import { errorOf, Failure, type Trap } from "../native/trap.ts";

export { inward, outward, passed, passedWhole, pointedWhole } from "../core/lasting.ts";

/**
 * Makes a call.
 *
 * @param args What C is called with, or what calls it to free something.
 * @param then Makes the result of C's.
 * @param always What is done after the call whether C failed or not.
 */
// deno-lint-ignore no-explicit-any
type Make = (args: CallArguments, then: (result: any) => unknown, always?: () => void) => Promise<unknown>;

/** Describes a call, to make it then. The signature is in Deno's words. */
type Begin = (
  name: string,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  uses: Spec["uses"],
  changes: Spec["changes"],
  back?: Spec["back"],
) => Make;

/** What makes the calls of one set of generated files. */
export function starter(abi: Abi): Begin {
  const bind = asideBinder(abi);
  return (name, parameters, result, uses, changes, back = []) => async (args, then, always) => {
    const signal = takeSignal();
    signal?.throwIfAborted();
    if (name.startsWith("llama_")) expectLlama(abi);
    const call = new RunningCall({ name, uses, changes, back }, signal, bind);
    const { answer, failure } = await call.call(parameters, result, args);
    call.end();
    always?.();
    const first = call.failure === null ? failure : call.failure[0];
    if (first instanceof Failure) throw errorFor(name, first, uses);
    if (call.failure === null && failure === null) return then(answer);
    if (failure === null) note(() => then(answer));
    throw first;
  };
}

/** Notes what C did all the same. A handle of what it made is lost, and collected. */
function note(what: () => unknown): void {
  try {
    what();
  } catch {
    // whoever failed first is who is told of
  }
}

/** The signal of the next call. */
let next: AbortSignal | undefined = undefined;

/**
 * Calls a generated function, which takes its arguments only, with options. They are read before it looks at its arguments, which their getters may
 * free; and what it reads of its arguments may make calls of its own.
 */
export function withOptions<T>(name: string, options: unknown, call: () => T): T {
  const signal = signalOf(name, options), outer = next;
  next = signal;
  try {
    return withOthers(call);
  } finally {
    next = outer;
  }
}

function takeSignal(): AbortSignal | undefined {
  const taken = next;
  next = undefined;
  return taken;
}

function signalOf(name: string, options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  const { signal } = expectOptions(name, options as AsyncOptions, ["signal"]);
  expectSignal(name, signal);
  return signal;
}

/** The Error for what C failed of. What it left half done is seen to. */
function errorFor(name: string, { trap, error }: Failure, uses: Spec["uses"]): Error {
  const made = error ?? errorOf(name, trap as Trap, uses);
  spoilChanged(library(), name, uses, made, trap);
  return made;
}

/** The Error for a null where C promises an object. */
export function isNull(name: string): Error {
  return new Error(`${name} returned null`);
}
