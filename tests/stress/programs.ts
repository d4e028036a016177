/**
 * Random programs that create, view, drop, collect, free and use what ggml makes. Whatever is used must read right or, where what it lies in
 * was freed on purpose, say so.
 *
 *     deno run -A --v8-flags=--expose-gc tests/stress/programs.ts [COUNT [SEED]]
 *
 * Run under AddressSanitizer it also shows that C reads nothing that is freed.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, type NdArray, view } from "@ggml/deno/utils";
import { Random } from "../random.ts";

declare const gc: () => void;

/** A tensor, or a view of one, and the numbers that it must hold. */
interface Known<T> {
  readonly value: T;
  readonly numbers: readonly number[];
  /** What it lies in. */
  readonly home: Home;
}

/** What tensors lie in: a context, or a context and a backend's buffer. */
interface Home {
  /** True once its memory was freed on purpose. */
  freed: boolean;
  readonly kind: "arena" | "buffer";
  /** What the tensors in it point into. */
  readonly into?: readonly Home[];
}

/** True for what can't be used: it was freed, or what it points into. */
function isGone({ freed, into = [] }: Home): boolean {
  return freed || into.some(isGone);
}

/** A context that tensors can be made in, for as long as a program holds on to it. */
interface Place {
  readonly home: Home;
  readonly ctx: lib.ggml_context;
}

/** A tensor's buffer, for as long as a program holds on to it. */
interface Held {
  readonly home: Home;
  readonly buffer: lib.ggml_backend_buffer;
}

/** Steps in a program. */
const STEPS = 30;
/** Programs at once. */
const BATCH = 20;
const LENGTH = 256;

class Program {
  readonly #random: Random;
  #places: Place[] = [];
  #buffers: Held[] = [];
  #tensors: Known<lib.ggml_tensor>[] = [];
  #views: Known<NdArray<Float32Array>>[] = [];
  #graphs: (Known<lib.ggml_tensor> & { readonly graph: lib.ggml_cgraph; readonly ctx: lib.ggml_context })[] = [];
  #groups: { readonly value: lib.gguf_context; readonly numbers: readonly number[] }[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async run(): Promise<void> {
    for (let n = 0; n < STEPS; n++) {
      await this.#random.pick(STEP_KINDS).call(this);
      this.#use();
    }
    await this.collect();
    this.#tensors.forEach(checkTensor);
    this.#views.forEach(checkView);
  }

  createContext(): void {
    this.#places.push({ home: { freed: false, kind: "arena" }, ctx: init({ memSize: 32 * 1024 }) });
  }

  createTensor(): void {
    const place = this.#place();
    const tensor = lib.ggml_new_tensor_1d(place.ctx, lib.GGML_TYPE_F32, LENGTH);
    this.#tensors.push({ value: tensor, numbers: this.#fill(tensor), home: place.home });
  }

  /** Tensors in memory that a backend owns. */
  createBuffer(): void {
    const ctx = init({ memSize: 8 * 1024, noAlloc: true });
    const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, cpu())!;
    const home: Home = { freed: false, kind: "buffer" };
    this.#tensors.push({ value: tensor, numbers: this.#fill(tensor), home });
    if (this.#random.percent(70)) this.#buffers.push({ home, buffer });
  }

  /** A view, which may outlive everything that it came from. */
  view(): void {
    const tensor = this.#alive(this.#tensors);
    if (tensor === null) return;
    this.#views.push({ value: view<Float32Array>(tensor.value), numbers: tensor.numbers, home: tensor.home });
  }

  /** A tensor that is another one's memory. */
  viewTensor(): void {
    const tensor = this.#alive(this.#tensors);
    const place = this.#place();
    if (tensor === null) return;
    // It lies where the other does, and is described where it was made: it is gone with the first of the two.
    if (tensor.home !== place.home) return;
    this.#tensors.push({ ...tensor, value: lib.ggml_view_tensor(place.ctx, tensor.value) });
  }

  createGraph(): void {
    const a = this.#alive(this.#tensors), b = this.#alive(this.#tensors);
    if (a === null || b === null) return;
    const ctx = init({ memSize: 64 * 1024 });
    const sum = lib.ggml_add(ctx, a.value, b.value);
    const graph = lib.ggml_new_graph_custom(ctx, 16, false);
    lib.ggml_build_forward_expand(graph, sum);
    const home: Home = { freed: false, kind: "arena", into: [a.home, b.home] };
    const numbers = a.numbers.map((number, i) => number + b.numbers[i]);
    const known = { value: sum, numbers, home };
    this.#graphs.push({ ...known, graph, ctx });
    assertEquals(lib.ggml_graph_compute_with_ctx(ctx, graph, 1), lib.GGML_STATUS_SUCCESS);
    this.#tensors.push(known);
  }

  /** Computes a graph again: what its nodes point to must still be there, though the program holds on to the graph only. */
  compute(): void {
    if (this.#graphs.length === 0) return;
    const { graph, value, numbers, home } = this.#random.pick(this.#graphs);
    if (isGone(home)) return void assertThrows(() => lib.ggml_graph_n_nodes(graph), Error, "freed");
    const scratch = init({ memSize: 16 * 1024 });
    assertEquals(lib.ggml_graph_compute_with_ctx(scratch, graph, 1), lib.GGML_STATUS_SUCCESS);
    assertNumbers(view<Float32Array>(value), numbers);
  }

  /** A graph whose tensors lie in an allocator's buffer. Nobody holds on to the allocator but they. */
  createAllocated(): void {
    const { graph, a, doubled } = this.#unallocated();
    const allocator = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
    assert(lib.ggml_gallocr_alloc_graph(allocator, graph));
    const numbers = this.#fill(a);
    const backend = this.#random.percent(50) ? cpu() : lib.ggml_backend_cpu_init()!;
    lib.ggml_backend_cpu_set_n_threads(backend, 1);
    assertEquals(lib.ggml_backend_graph_compute(backend, graph), lib.GGML_STATUS_SUCCESS);
    this.#tensors.push({ value: doubled, numbers: numbers.map((number) => number * 2), home: { freed: false, kind: "buffer" } });
  }

  /** A tensor computed by a scheduler of a backend with threads of its own. */
  createScheduled(): void {
    const { graph, a, doubled } = this.#unallocated();
    const backend = lib.ggml_backend_cpu_init()!;
    if (this.#random.percent(20)) {
      const pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
      lib.ggml_backend_cpu_set_threadpool(backend, pool);
    }
    lib.ggml_backend_cpu_set_n_threads(backend, 1);
    const scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false);
    assert(lib.ggml_backend_sched_alloc_graph(scheduler, graph));
    const numbers = this.#fill(a);
    assertEquals(lib.ggml_backend_sched_graph_compute(scheduler, graph), lib.GGML_STATUS_SUCCESS);
    this.#tensors.push({ value: doubled, numbers: numbers.map((number) => number * 2), home: { freed: false, kind: "buffer" } });
  }

  /** A graph without memory: a tensor and its double. */
  #unallocated() {
    const ctx = init({ memSize: 16 * 1024, noAlloc: true });
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH);
    lib.ggml_set_input(a);
    lib.ggml_set_output(a); // or the allocator gives its place to the result, and to compute that again is to double it again
    const doubled = lib.ggml_scale(ctx, a, 2);
    lib.ggml_set_output(doubled);
    const graph = lib.ggml_new_graph_custom(ctx, 16, false);
    lib.ggml_build_forward_expand(graph, doubled);
    return { graph, a, doubled };
  }

  #fill(tensor: lib.ggml_tensor): number[] {
    const numbers = Array.from({ length: LENGTH }, (_, i) => i + this.#random.below(1000));
    copy(Float32Array.from(numbers), tensor);
    return numbers;
  }

  createGguf(): void {
    const group = lib.gguf_init_empty();
    const numbers = Array.from({ length: 1 + this.#random.below(20) }, () => this.#random.below(1 << 30));
    numbers.forEach((number, i) => lib.gguf_set_val_u32(group, `key.${i}`, number));
    this.#groups.push({ value: group, numbers });
  }

  useGguf(): void {
    if (this.#groups.length === 0) return;
    const { value, numbers } = this.#random.pick(this.#groups);
    const i = this.#random.below(numbers.length);
    assertEquals(lib.gguf_get_val_u32(value, lib.gguf_find_key(value, `key.${i}`)), numbers[i]);
  }

  disposeGguf(): void {
    const [group] = this.#groups.splice(this.#random.below(this.#groups.length + 1), 1);
    if (group === undefined) return;
    group.value[Symbol.dispose]();
    group.value[Symbol.dispose]();
    assertThrows(() => lib.gguf_get_n_kv(group.value), Error, "freed");
  }

  /** Forgets things of one kind: the collector may have them. */
  drop(): void {
    const some = <T>(items: T[]) => items.filter(() => this.#random.percent(50));
    switch (this.#random.below(6)) {
      case 0:
        this.#places = some(this.#places);
        return;
      case 1:
        this.#buffers = some(this.#buffers);
        return;
      case 2:
        this.#tensors = some(this.#tensors);
        return;
      case 3:
        this.#graphs = some(this.#graphs);
        return;
      case 4:
        this.#groups = some(this.#groups);
        return;
      default:
        this.#views = some(this.#views);
    }
  }

  collect(): Promise<void> {
    return collected ??= collectGarbage();
  }

  /** Frees a context at once: its views stay, its tensors throw. */
  disposeContext(): void {
    const [place] = this.#places.splice(this.#random.below(this.#places.length + 1), 1);
    if (place === undefined) return;
    place.ctx[Symbol.dispose]();
    place.ctx[Symbol.dispose]();
    place.home.freed = true;
    assertThrows(() => lib.ggml_used_mem(place.ctx), Error, "freed");
  }

  /** Frees a buffer at once: its views are detached, its tensors throw when their numbers are asked for. */
  disposeBuffer(): void {
    const [held] = this.#buffers.splice(this.#random.below(this.#buffers.length + 1), 1);
    if (held === undefined) return;
    held.buffer[Symbol.dispose]();
    held.buffer[Symbol.dispose]();
    held.home.freed = true;
  }

  /** Uses something of each kind. */
  #use(): void {
    if (this.#tensors.length > 0) checkTensor(this.#random.pick(this.#tensors));
    if (this.#views.length > 0) checkView(this.#random.pick(this.#views));
  }

  #place(): Place {
    if (this.#places.length === 0) this.createContext();
    const place = this.#random.pick(this.#places);
    if (lib.ggml_used_mem(place.ctx) < 16 * 1024) return place;
    this.createContext();
    return this.#places[this.#places.length - 1];
  }

  #alive<T>(items: readonly Known<T>[]): Known<T> | null {
    const alive = items.filter(({ home }) => !isGone(home));
    return alive.length === 0 ? null : this.#random.pick(alive);
  }
}

/** What a program may do, as often as it stands here. */
const STEP_KINDS: readonly ((this: Program) => void | Promise<void>)[] = [
  Program.prototype.createContext,
  Program.prototype.createTensor,
  Program.prototype.createTensor,
  Program.prototype.createBuffer,
  Program.prototype.view,
  Program.prototype.view,
  Program.prototype.viewTensor,
  Program.prototype.createGraph,
  Program.prototype.compute,
  Program.prototype.createAllocated,
  Program.prototype.createScheduled,
  Program.prototype.createGguf,
  Program.prototype.useGguf,
  Program.prototype.disposeGguf,
  Program.prototype.drop,
  Program.prototype.drop,
  Program.prototype.drop,
  Program.prototype.collect,
  Program.prototype.collect,
  Program.prototype.disposeContext,
  Program.prototype.disposeBuffer,
];

function checkTensor({ value, numbers, home }: Known<lib.ggml_tensor>): void {
  if (isGone(home)) {
    assertThrows(() => view(value), Error, "freed");
    return;
  }
  assertEquals(value.ne, [LENGTH, 1, 1, 1]);
  assertEquals(value.type, lib.GGML_TYPE_F32);
  assertNumbers(view<Float32Array>(value), numbers);
}

/** Quicker than assertEquals by so much that it decides how many programs there is time for. */
function assertNumbers({ data }: NdArray<Float32Array>, numbers: readonly number[]): void {
  if (data.length !== numbers.length || numbers.some((number, i) => data[i] !== number)) assertEquals([...data], numbers);
}

function checkView({ value, numbers, home }: Known<NdArray<Float32Array>>): void {
  if (home.freed && home.kind === "buffer") {
    assert((value.data.buffer as ArrayBuffer).detached, "the view of a freed buffer is not detached");
  } else assertNumbers(value, numbers);
}

let backend: lib.ggml_backend | null = null;

/** The one CPU backend of all programs. */
function cpu(): lib.ggml_backend {
  return backend ??= lib.ggml_backend_cpu_init()!;
}

/** The collection that the programs of a batch wait for together: it takes longer than everything else that they do. */
let collected: Promise<void> | null = null;

async function collectGarbage(): Promise<void> {
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  await turn(); // the others have come to a collection of their own
  gc();
  await turn(); // finalizers run between turns of the event loop
  collected = null;
}

/** Runs programs, a batch at a time. */
async function runPrograms(count: number, seed: number): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => seed + first + i);
    await Promise.all(seeds.map(async (seed) => {
      try {
        await new Program(seed).run();
      } catch (cause) {
        throw new Error(`program ${seed}: ${(cause as Error).message}`, { cause });
      }
    }));
  }
}

if (import.meta.main) {
  const [count = "1000", seed = "1"] = Deno.args;
  await runPrograms(Number(count), Number(seed));
  console.log(`${count} programs read right`);
}
