/**
 * A call that is under way on another thread: what it uses, what is lent to it, what stops it, and whoever failed first.
 *
 * @module
 */

import type { Abi } from "../load/abi.ts";
import { Aside } from "./aside.ts";
import { hold } from "./async.ts";
import { type Stop, stopOf } from "./cancelling.ts";
import { describe } from "../core/describe.ts";
import { endWaiter, type Waiter, waiters } from "../core/failure.ts";
import { nodesOf } from "./graph_nodes.ts";
import { spoilChanged } from "./half_done.ts";
import { Handle, lentText } from "../core/handle.ts";
import { use } from "../core/in_use.ts";
import { library } from "../load/library.ts";
import type { Back } from "../core/lasting.ts";
import { type Owner, STATIC } from "../core/owner.ts";
import { ownersOf } from "./reach.ts";
import { type Call, guarded, operatorsOf } from "./threads.ts";
import { callerHere } from "../native/gates.ts";
import { askClaimers, type Claimer, claimers, Failure } from "../native/trap.ts";
import { watched } from "./watch.ts";

/** A C function, called on another thread. */
// deno-lint-ignore no-explicit-any
export type Bound = (...args: any[]) => Promise<any>;

/** What a generated function says of its call. */
export interface Spec {
  readonly name: string;
  /** The arguments that are no numbers, by name, but for what the function frees. */
  readonly uses: Readonly<Record<string, unknown>>;
  /** The arguments that C may change. */
  readonly changes: readonly (Handle | null)[];
  /** What is copied back when it has settled. */
  readonly back: Back;
}

/** Gives a function of the library itself. It rejects with a {@linkcode Failure}. `begun` is told of each call. */
export type Bind = (
  name: string,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  begun: (call: bigint) => void,
) => Bound;

/** The `Bind` of one set of generated files. */
export function asideBinder({ release }: Abi): Bind {
  const asides = new Map<string, Aside>();
  return (name, parameters, result, begun) => {
    const pointer = library().symbol(name, { type: "pointer" } as never, release) as unknown as Deno.PointerObject;
    let aside = asides.get(name);
    if (aside === undefined) asides.set(name, aside = new Aside(parameters, result));
    return async (...args) => {
      const call = aside.call(BigInt(Deno.UnsafePointer.value(pointer)), args);
      begun(call.id);
      const answer = await call.result;
      if (call.trap !== null) throw new Failure(call.trap);
      return answer;
    };
  };
}

/** What C is called with, or what calls it to free something. */
// deno-lint-ignore no-explicit-any
export type CallArguments = readonly unknown[] | ((symbol: Bound) => any);

/** A call that is under way. */
export class RunningCall implements Waiter {
  /** What to reject with, as the only element. */
  failure: [unknown] | null = null;
  readonly #spec: Spec;
  readonly #bind: Bind;
  readonly #signal: AbortSignal | undefined;
  #stop: Stop | null = null;
  readonly #releases: (() => void)[];
  #leases: (() => void)[] = [];
  /** The owners of what is lent to it, and of all that C reaches. */
  readonly #changed: readonly Owner[];
  #owners: ReadonlySet<Owner> | null = null;
  /** The nodes that are operators in TypeScript: C passes them to the operator first. */
  #operators: ReadonlySet<unknown> | null = null;
  /** Which of the calls under way it is. */
  #id = 0n;

  constructor(spec: Spec, signal: AbortSignal | undefined, bind: Bind) {
    this.#spec = spec;
    this.#bind = bind;
    this.#signal = signal;
    this.#changed = changedBy(spec);
    for (const owner of this.#changed) {
      if (owner.ending?.isLent === true) throw new Error(`${spec.name}: this ${owner.type} can't be used now: ${lentText(owner.ending)}`);
    }
    const by = `lib.async.${spec.name}`, graphs = Object.values(spec.uses).filter(isGraph);
    this.#releases = [
      hold(Object.values(spec.uses), `${by} is using it`),
      use(by, null, this.#changed.map((owner) => ({ owner }))),
      ...graphs.map((graph) => use(by, graph, [])),
    ];
    signal?.addEventListener("abort", this.#onAbort);
    waiters.add(this);
    claimers.add(this.#claimer);
  }

  /** Calls C. What is thrown before C was called is thrown on. */
  async call(
    parameters: readonly Deno.NativeType[],
    result: Deno.NativeResultType,
    args: CallArguments,
  ): Promise<{ answer: unknown; failure: unknown }> {
    let answered: unknown;
    try {
      const { name, uses } = this.#spec;
      if (this.#signal !== undefined) this.#stop = stopOf(name, uses);
      const bound = this.#symbol(name, parameters, result), symbol = this.#stop?.around?.(bound) as Bound | undefined ?? bound;
      answered = typeof args === "function" ? args(symbol) : symbol(...args);
    } catch (error) {
      this.end();
      throw error;
    }
    try {
      return { answer: await answered, failure: null };
    } catch (error) {
      return { answer: undefined, failure: error };
    }
  }

  /** A function as `bind.ts` gives it, but asynchronous: what is around it may use what the call changes, while C doesn't. */
  #symbol(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): Bound {
    const begun = (id: bigint) => this.#id = id;
    const call: Call = (name, parameters, result, ...args) => this.#lent(this.#bind(name, parameters, result, begun))(...args);
    return guarded(name, watched(name, this.#lent(this.#bind(name, parameters, result, begun))), call) as Bound;
  }

  #lent(symbol: Bound): Bound {
    return async (...args) => {
      this.#lend();
      try {
        return await symbol(...args);
      } finally {
        this.#takeBack();
      }
    };
  }

  /** Ends all that it began. */
  end(): void {
    askClaimers();
    claimers.delete(this.#claimer);
    endWaiter(this);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#stop?.end();
    for (const release of this.#releases) release();
    for (const copyBack of this.#spec.back) copyBack(`lib.async.${this.#spec.name}`);
    if (this.failure !== null && this.#stop !== null && this.#spec.name.startsWith("ggml_opt_")) this.#spoil(); // C went on with what wasn't computed
  }

  get failed(): boolean {
    return this.failure !== null;
  }

  fail(error: unknown): void {
    this.failure ??= [error];
    this.#stop?.set();
  }

  claims(owner: Owner, [first]: readonly unknown[]): boolean | null {
    if (!(this.#owners ??= this.#reached()).has(owner)) return false;
    const caller = callerHere();
    if (caller !== 0n) return caller === this.#id;
    this.#operators ??= new Set(Object.values(this.#spec.uses).filter(isGraph).flatMap(({ address }) => [...operatorsOf(address)]));
    return this.#operators.has(first) || null;
  }

  runCallback<T>(callback: () => T): T {
    const isLent = this.#leases.length > 0;
    this.#takeBack();
    try {
      return callback();
    } finally {
      if (isLent) this.#lend();
    }
  }

  readonly #onAbort = () => this.fail(this.#signal!.reason);

  /** Takes what a thread of C's own failed of. Of which graph that is it doesn't know where C makes the graph. */
  readonly #claimer: Claimer = {
    owns: ({ node }) => {
      if (!COMPUTES.test(this.#spec.name)) return false;
      const graphs = Object.values(this.#spec.uses).filter(isGraph);
      return node === null || graphs.length === 0 ? null : graphs.some(({ address }) => nodesOf(address).includes(node.tensor));
    },
    take: (trap) => this.fail(new Failure(trap)),
  };

  #lend(): void {
    this.#leases = this.#changed.map((owner) => owner.lend(`lib.async.${this.#spec.name}`));
  }

  #takeBack(): void {
    for (const takeBack of this.#leases.splice(0)) takeBack();
  }

  /** The owners of all that C reaches by the arguments, callbacks among them. */
  #reached(): Set<Owner> {
    const found = new Set<Owner>();
    for (const value of Object.values(this.#spec.uses).flat()) {
      if (value instanceof Handle && value.owner !== STATIC) ownersOf(value.owner, found);
    }
    return found;
  }

  #spoil(): void {
    const [reason] = this.failure!, error = reason instanceof Error ? reason : new Error(describe(reason));
    spoilChanged(library(), this.#spec.name, this.#spec.uses, error, { inKernel: true, text: "" });
  }
}

/** The owners of objects that C may change and that are somebody's to free, and of what these compute by. */
function changedBy({ changes }: Spec): readonly Owner[] {
  const isWhole = ({ owner, address }: Handle) => owner !== STATIC && owner.address === address;
  const given = changes.flatMap((handle) => handle !== null && isWhole(handle) ? [handle.owner] : []);
  const computing = given.filter(({ type }) => type === "ggml_opt_context" || type === "ggml_backend_sched");
  const computers = computing.flatMap((owner) => [...ownersOf(owner)]).filter(({ type }) =>
    type === "ggml_backend_sched" || type === "ggml_backend"
  );
  return [...new Set([...given, ...computers])];
}

/** The functions in which C computes graphs, on threads of its own too. */
const COMPUTES =
  /^llama_(?:de|en)code$|^llama_opt_epoch$|^llama_init_from_model$|^ggml_(?:opt_|graph_compute|backend_(?:sched_)?graph_(?:plan_)?compute)/;

function isGraph(value: unknown): value is Handle {
  return value instanceof Handle && value.constructor.name === "ggml_cgraph";
}
