/**
 * What computes a graph, as far as a look at the graph asks: which memory it reaches, and which operations it has.
 *
 * C is asked by addresses, without a handle for each buffer and node.
 *
 * @module
 */

import { type Owner, STATIC } from "../../core/owner.ts";
import type { lib as generated } from "../../generated/lib.js";
import { backendsOf, callNow } from "../call_now.ts";
import type { Good } from "./graph.ts";
import type { Lib } from "./say.ts";

type Backend = generated.ggml_backend;
type Sched = generated.ggml_backend_sched;

/** A backend, the CPU without one, or a scheduler that shares a graph out among several. */
export interface Computer {
  /** What messages call it. */
  readonly name: string;
  /** True where the kernels are known: the CPU's. */
  readonly isCpu: boolean;
  /** True where tensors have their memory by now: a scheduler finds it later. */
  readonly hasMemory: boolean;
  /** True where a context's own memory will do, which is in no buffer. */
  readonly reachesContexts: boolean;
  /** Whether it can use what is in a buffer. */
  reaches(buffer: bigint): boolean;
  /** Whether it has a node's operation, for the types and the memory that the node has. */
  supports(node: bigint): boolean;
  /** The graphs that were found good for it, by the owner of their memory and their address in it. */
  readonly good: WeakMap<Owner, Map<bigint, Good>>;
}

const ONE = ["u64"] as const, TWO = ["u64", "u64"] as const;

function isTrue(name: string, a: bigint, b: bigint): boolean {
  return callNow(name, TWO, "bool", a, b) as boolean;
}

function typeOf(buffer: bigint): bigint {
  return callNow("ggml_backend_buffer_get_type", ONE, "u64", buffer) as bigint;
}

let cpu: Computer | null = null;

/** The CPU, asked as a device. */
export function cpuComputer(): Computer {
  if (cpu !== null) return cpu;
  const device = callNow("ggml_backend_reg_dev_get", TWO, "u64", callNow("ggml_backend_cpu_reg", [], "u64"), 0n) as bigint;
  return cpu = {
    name: "CPU backend",
    isCpu: true,
    hasMemory: true,
    reachesContexts: true,
    reaches: (buffer) => isTrue("ggml_backend_dev_supports_buft", device, typeOf(buffer)),
    supports: (node) => isTrue("ggml_backend_dev_supports_op", device, node),
    good: new WeakMap(),
  };
}

/** Backends and schedulers that graphs were computed with: what is known of a graph is so of one of these. */
const computers = new WeakMap<Owner, Computer>();

/** A backend. */
export function computerOf(lib: Lib, backend: Backend): Computer {
  if (lib.ggml_backend_is_cpu(backend)) return cpuComputer();
  return remembered(backend.owner, () => {
    const { address } = backend, reachesType = (type: bigint) => isTrue("ggml_backend_supports_buft", address, type);
    return {
      name: `${lib.ggml_backend_name(backend)} backend`,
      isCpu: false,
      hasMemory: true,
      reachesContexts: reachesType(callNow("ggml_backend_cpu_buffer_type", [], "u64") as bigint),
      reaches: (buffer) => reachesType(typeOf(buffer)),
      supports: (node) => isTrue("ggml_backend_supports_op", address, node),
      good: new WeakMap(),
    };
  });
}

/** A scheduler, before it has found memory for the nodes and a backend for each. */
export function sharingComputer(lib: Lib, sched: Sched): Computer {
  return remembered(sched.owner, () => {
    const backends = backendsOf(sched.address);
    const names = backends.map((_, i) => lib.ggml_backend_name(lib.ggml_backend_sched_get_backend(sched, i)));
    return {
      name: `scheduler's ${names.join(" or ")} backend`,
      isCpu: false,
      hasMemory: false,
      reachesContexts: true,
      reaches: () => true,
      supports: (node) => backends.some((backend) => isTrue("ggml_backend_supports_op", backend, node)),
      good: new WeakMap(),
    };
  });
}

function remembered(owner: Owner, make: () => Computer): Computer {
  if (owner === STATIC) return make(); // nobody knows for how long it is this one
  let known = computers.get(owner);
  if (known === undefined) computers.set(owner, known = make());
  return known;
}
