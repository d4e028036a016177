/**
 * How C is told to stop, for the `signal` of an asynchronous call.
 *
 * Where C computes graphs it asks an abort callback between two nodes. That is C's own `ggml_get_no_alloc` here, a `bool (*)(struct ggml_context *)`
 * that reads what `ggml_set_no_alloc` wrote to a small context: no TypeScript runs for it. Where C loads a model it reports its progress, and goes on
 * if that says so: that is a function in TypeScript, which asks the caller's own one in turn.
 *
 * @module
 */

import { type Aborting, abortingOf } from "./aborting.ts";
import type { Handle } from "../core/handle.ts";
import { ABI } from "../generated/layouts.js";
import { gateTo, library } from "../load/library.ts";
import { schedulerOf } from "./schedulers.ts";
import { backendsOf, callNow } from "./call_now.ts";

// deno-lint-ignore no-explicit-any
type Bound = (...args: any[]) => any;

/** What stops one call. */
export interface Stop {
  /** Has C stop. */
  set(): void;
  /** Leaves all as it was. */
  end(): void;
  /** What is put around the C function. */
  around?(symbol: Bound): Bound;
}

type Uses = Readonly<Record<string, unknown>>;

/** How each of the functions is stopped that can be. */
const STOPS: Readonly<Record<string, (uses: Uses) => Stop>> = {
  ggml_graph_compute: ({ cplan }) => stopPlan(cplan as Parameters<typeof stopPlan>[0]),
  ggml_backend_graph_compute: ({ backend }) => stopBackends("ggml_backend_graph_compute", [(backend as Handle).address]),
  ggml_backend_sched_graph_compute: ({ sched }) => stopScheduler("ggml_backend_sched_graph_compute", (sched as Handle).address),
  ggml_opt_fit: ({ backend_sched }) => stopScheduler("ggml_opt_fit", (backend_sched as Handle).address),
  ggml_opt_eval: ({ opt_ctx }) => stopOptimizer("ggml_opt_eval", (opt_ctx as Handle).address),
  ggml_opt_epoch: ({ opt_ctx }) => stopOptimizer("ggml_opt_epoch", (opt_ctx as Handle).address),
  llama_decode: ({ ctx }) => stopFlag([{ setter: "llama_set_abort_callback", object: (ctx as Handle).address }]),
  llama_encode: ({ ctx }) => stopFlag([{ setter: "llama_set_abort_callback", object: (ctx as Handle).address }]),
  llama_model_load_from_file: stopLoading,
  llama_model_load_from_splits: stopLoading,
  llama_load_model_from_file: stopLoading,
};

/**
 * What stops a call of a function.
 *
 * @param uses Its arguments, by name.
 * @throws {TypeError} If C has no way to.
 */
export function stopOf(name: string, uses: Uses): Stop {
  if (Object.hasOwn(STOPS, name)) return STOPS[name](uses);
  throw new TypeError(
    `${name}: C can't be told to stop, so there is no signal to give; it can be given to ${Object.keys(STOPS).join(", ")}`,
  );
}

/** A flag that C reads. */
class Flag {
  readonly address: bigint = callNow(
    "ggml_init",
    [INIT_PARAMS],
    "u64",
    new Uint8Array(BigUint64Array.of(BigInt(CONTEXT_BYTES), 0n, 0n).buffer),
  ) as bigint;

  set(): void {
    callNow("ggml_set_no_alloc", ["u64", "bool"], "void", this.address, true);
  }

  free(): void {
    callNow("ggml_free", ["u64"], "void", this.address);
  }
}

/** `struct ggml_init_params`: how many bytes, in which memory (null for C's own), and whether tensors have none. */
const INIT_PARAMS: Deno.NativeType = { struct: ["usize", "pointer", "bool"] };

/** Bytes of the context, which nothing is made in. */
const CONTEXT_BYTES = 256;

/** The address of the function that reads a flag. */
function reader(): bigint {
  return BigInt(
    Deno.UnsafePointer.value(library().symbol("ggml_get_no_alloc", { type: "pointer" } as never) as unknown as Deno.PointerObject),
  );
}

/** Whose abort callback is set by which function. */
interface Target {
  readonly setter: string;
  readonly object: bigint;
}

/** Stops what asks an abort callback that a function sets. The object has its own again afterwards. */
function stopFlag(targets: readonly Target[]): Stop {
  const flag = new Flag();
  const set = ({ setter, object }: Target, { callback, data }: Aborting) =>
    callNow(setter, ["u64", "u64", "u64"], "void", object, callback, data);
  for (const target of targets) set(target, { callback: reader(), data: flag.address });
  return {
    set: () => flag.set(),
    end: () => {
      for (const target of targets) set(target, abortingOf(target.object));
      flag.free();
    },
  };
}

function stopBackends(name: string, backends: readonly bigint[]): Stop {
  const cpus = backends.filter((backend) => callNow("ggml_backend_is_cpu", ["u64"], "bool", backend));
  if (cpus.length === 0) throw new TypeError(`${name}: only a CPU backend can be told to stop: leave the signal out, or use computeAsync`);
  return stopFlag(cpus.map((object) => ({ setter: "ggml_backend_cpu_set_abort_callback", object })));
}

function stopScheduler(name: string, scheduler: bigint): Stop {
  return stopBackends(name, backendsOf(scheduler));
}

function stopOptimizer(name: string, optimizer: bigint): Stop {
  const scheduler = schedulerOf(optimizer);
  if (scheduler === undefined) throw new TypeError(`${name}: nobody knows the scheduler of this ggml_opt_context: leave the signal out`);
  return stopScheduler(name, scheduler);
}

const { size, fields: { abort_callback, abort_callback_data } } = ABI.records.ggml_cplan;

/** Stops what is computed by a plan. */
function stopPlan({ abort_callback: own }: { readonly abort_callback: unknown }): Stop {
  if (own !== null) throw new TypeError("ggml_graph_compute: this plan has an abort callback of its own: leave that out, or the signal");
  const flag = new Flag();
  let clear = () => {};
  return {
    set: () => flag.set(),
    end: () => {
      clear();
      flag.free();
    },
    around: (symbol) => (graph: bigint, plan: bigint) => {
      const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(plan)!, size));
      const set = (callback: bigint, data: bigint) => {
        view.setBigUint64(abort_callback, callback, true);
        view.setBigUint64(abort_callback_data, data, true);
      };
      set(reader(), flag.address);
      clear = () => set(0n, 0n);
      return symbol(graph, plan);
    },
  };
}

const PROGRESS = { parameters: ["f32", "u64"], result: "bool" } as const;
/** All structs by name: a tree of ggml's alone has none of llama's, and then nothing asks. */
const RECORDS: Readonly<Record<string, { readonly fields: Readonly<Record<string, number>> } | undefined>> = ABI.records;
const { progress_callback, progress_callback_user_data } = RECORDS.llama_model_params?.fields ?? {} as Record<string, number>;

/** Stops the loading of a model, whose parameters come last. */
function stopLoading(): Stop {
  let stopped = false, own: ((progress: number) => boolean) | null = null;
  const asked = gateTo(new Deno.UnsafeCallback(PROGRESS, (progress) => !stopped && (own === null || own(progress))));
  return {
    set: () => void (stopped = true),
    end: () => asked.close(),
    around: (symbol) => (...args) => {
      const params = args[args.length - 1] as Uint8Array<ArrayBuffer>, view = new DataView(params.buffer, params.byteOffset);
      const callback = view.getBigUint64(progress_callback, true), data = view.getBigUint64(progress_callback_user_data, true);
      if (callback !== 0n) own = (progress) => pointerOf(callback).call(progress, data);
      view.setBigUint64(progress_callback, asked.address, true);
      return symbol(...args);
    },
  };
}

function pointerOf(callback: bigint): Deno.UnsafeFnPointer<typeof PROGRESS> {
  return new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(callback) as Deno.PointerObject<typeof PROGRESS>, PROGRESS);
}
