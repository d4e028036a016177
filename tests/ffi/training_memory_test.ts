/** Training beside other allocators, and with a graph for each step: the same numbers as without, and no memory that somebody else has by then. */

import { assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, toArray } from "@ggml/deno/utils";
import { message } from "../failing.ts";

const { GGML_TYPE_F32: F32, GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR: SQUARES } = lib;
const { GGML_OPT_OPTIMIZER_TYPE_ADAMW: ADAMW, GGML_OPT_OPTIMIZER_TYPE_SGD: SGD } = lib;

const rates = new lib.ggml_opt_get_optimizer_params(() => {
  const params = lib.ggml_opt_get_default_optimizer_params(null);
  params.adamw.alpha = params.sgd.alpha = 0.05;
  return params;
});

/** A network of two layers, whose gradients need what each tensor was, and examples for it: two batches of four. */
class Network {
  readonly backend: lib.ggml_backend = lib.ggml_backend_cpu_init()!;
  readonly scheduler: lib.ggml_backend_sched;
  readonly computed: lib.ggml_context = init({ memSize: 1 << 20, noAlloc: true });
  readonly x: lib.ggml_tensor;
  readonly parameters: lib.ggml_tensor[];
  readonly y: lib.ggml_tensor;
  readonly dataset: lib.ggml_opt_dataset = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 1);

  constructor() {
    lib.ggml_backend_cpu_set_n_threads(this.backend, 1);
    this.scheduler = lib.ggml_backend_sched_new([this.backend], null, 1, 4096, false, true);
    const fixed = init({ memSize: 1 << 14, noAlloc: true });
    this.x = lib.ggml_new_tensor_2d(fixed, F32, 2, 4);
    this.parameters = [lib.ggml_new_tensor_2d(fixed, F32, 2, 8), lib.ggml_new_tensor_2d(fixed, F32, 8, 1)];
    lib.ggml_backend_alloc_ctx_tensors(fixed, this.backend);
    for (const parameter of this.parameters) {
      lib.ggml_set_param(parameter);
      copy(Float32Array.from({ length: lib.ggml_nelements(parameter) }, (_, i) => Math.sin(7 * i + 1)), parameter);
    }
    copy(Float32Array.from({ length: 16 }, (_, i) => Math.cos(i * i)), lib.ggml_opt_dataset_data(this.dataset));
    copy(Float32Array.from({ length: 8 }, (_, i) => Math.sin(1.7 * i)), lib.ggml_opt_dataset_labels(this.dataset)!);
    this.y = this.build(this.computed);
  }

  build(ctx: lib.ggml_context): lib.ggml_tensor {
    const [first, second] = this.parameters;
    const hidden = lib.ggml_silu(ctx, lib.ggml_scale(ctx, lib.ggml_silu(ctx, lib.ggml_mul_mat(ctx, first, this.x)), 2));
    return lib.ggml_mul_mat(ctx, second, hidden);
  }

  /** The graph of the outputs alone. */
  graph(): lib.ggml_cgraph {
    const graph = lib.ggml_new_graph_custom(this.computed, 16, false);
    lib.ggml_build_forward_expand(graph, this.y);
    return graph;
  }

  optimizer(fields: object = {}): lib.ggml_opt_context {
    const params = lib.ggml_opt_default_params(this.scheduler, SQUARES);
    return lib.ggml_opt_init(
      Object.assign(params, { ctx_compute: this.computed, inputs: this.x, outputs: this.y, get_opt_pars: rates, ...fields }),
    );
  }

  fit(): void {
    lib.ggml_opt_fit(this.scheduler, this.computed, this.x, this.y, this.dataset, SQUARES, ADAMW, rates, 4, 4, 0.5, true);
  }

  /** What was learned. */
  learned(): number[] {
    return this.parameters.flatMap((parameter) => [...toArray(parameter)]);
  }
}

/** Ways to have computed the outputs before, by allocators that use memory again for the next tensor. */
const BEFORE: Record<string, (network: Network) => unknown> = {
  "its own scheduler"({ scheduler }: Network) {
    return scheduler;
  },
  "its own scheduler, reset"({ scheduler }) {
    return scheduler;
  },
  "another scheduler"({ backend }) {
    return lib.ggml_backend_sched_new([backend], null, 1, 4096, false, true);
  },
  "an allocator"() {
    return lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  },
};

function computeBefore(network: Network, how: string): { graph: lib.ggml_cgraph; home: unknown } {
  const graph = network.graph(), home = BEFORE[how](network);
  if (home instanceof lib.ggml_gallocr) lib.ggml_gallocr_alloc_graph(home, graph);
  compute(graph, { backend: home instanceof lib.ggml_backend_sched ? home : network.backend });
  if (how.endsWith("reset")) lib.ggml_backend_sched_reset(network.scheduler);
  return { graph, home };
}

for (const how of Object.keys(BEFORE)) {
  Deno.test(`outputs that ${how} computed before are learned in the same way`, async () => {
    const ways: ((network: Network) => void | Promise<void>)[] = [
      (network) => network.fit(),
      (network) => {
        const optimizer = network.optimizer();
        for (let i = 0; i < 4; i++) lib.ggml_opt_epoch(optimizer, network.dataset, null, null, 4, null, null);
      },
      async (network) => {
        const optimizer = network.optimizer();
        for (let i = 0; i < 4; i++) await lib.async.ggml_opt_epoch(optimizer, network.dataset, null, null, 4, null, null);
      },
      (network) => {
        const optimizer = network.optimizer();
        for (let i = 0; i < 4; i++) {
          lib.ggml_opt_alloc(optimizer, i % 3 !== 1);
          lib.ggml_opt_dataset_get_batch(network.dataset, network.x, lib.ggml_opt_labels(optimizer), i % 2);
          lib.ggml_opt_eval(optimizer, null);
        }
      },
    ];
    for (const train of ways) {
      const plain = new Network(), other = new Network();
      await train(plain);
      const { home } = computeBefore(other, how);
      await train(other);
      assertEquals(other.learned(), plain.learned());
      home?.toString(); // it lives until here
    }
  });
}

Deno.test("a graph that an allocator placed is computed between epochs, and is where it was", () => {
  const plain = new Network(), looked = new Network();
  const { graph } = computeBefore(looked, "an allocator"), [first, second] = [plain, looked].map((network) => network.optimizer());
  for (let i = 0; i < 4; i++) {
    lib.ggml_opt_epoch(first, plain.dataset, null, null, 4, null, null);
    lib.ggml_opt_epoch(second, looked.dataset, null, null, 4, null, null);
    compute(graph, { backend: looked.backend });
    assertEquals(looked.learned(), plain.learned());
  }
  lib.ggml_backend_sched_reset(plain.scheduler);
  compute(plain.graph(), { backend: plain.scheduler });
  assertEquals(toArray(looked.y), toArray(plain.y));
});

/** Steps with a graph for each, or with one for all. */
function steps(isStatic: boolean, optimizer: lib.ggml_opt_optimizer_type, period: number): { learned: number[]; loss: number } {
  const network = new Network(), result = lib.ggml_opt_result_init(), loss = new Float64Array(1);
  const given = isStatic ? {} : { ctx_compute: null, inputs: null, outputs: null };
  const opt = network.optimizer({ optimizer, opt_period: period, ...given });
  for (let i = 0; i < 6; i++) {
    const ctx = init({ memSize: 1 << 20, noAlloc: true });
    if (!isStatic) {
      const outputs = network.build(ctx), graph = lib.ggml_new_graph_custom(ctx, 64, true);
      lib.ggml_build_forward_expand(graph, outputs);
      lib.ggml_opt_prepare_alloc(opt, ctx, graph, network.x, outputs);
    }
    lib.ggml_opt_alloc(opt, true);
    lib.ggml_opt_dataset_get_batch(network.dataset, network.x, lib.ggml_opt_labels(opt), i % 2);
    lib.ggml_opt_eval(opt, result);
  }
  lib.ggml_opt_result_loss(result, loss, null);
  return { learned: network.learned(), loss: loss[0] };
}

for (const period of [1, 2, 3]) {
  Deno.test(`a graph for each step learns what one graph does, with ${period} of them to a step`, () => {
    for (const optimizer of [ADAMW, SGD]) assertEquals(steps(false, optimizer, period), steps(true, optimizer, period));
  });
}

Deno.test("the tensors of a step's graph have no memory once the next one is allocated", () => {
  const network = new Network(), optimizer = network.optimizer({ ctx_compute: null, inputs: null, outputs: null });
  const step = () => {
    const ctx = init({ memSize: 1 << 20, noAlloc: true }), outputs = network.build(ctx), graph = lib.ggml_new_graph_custom(ctx, 64, true);
    lib.ggml_build_forward_expand(graph, outputs);
    lib.ggml_opt_prepare_alloc(optimizer, ctx, graph, network.x, outputs);
    lib.ggml_opt_alloc(optimizer, true);
    lib.ggml_opt_eval(optimizer, null);
    return outputs;
  };
  const first = step();
  assertEquals(toArray(first).length, 4);
  step();
  assertMatch(message(() => toArray(first)), /has no memory yet/);
});

Deno.test("a graph for one step that an allocator placed is an Error: C would share its memory", () => {
  const network = new Network(), optimizer = network.optimizer({ ctx_compute: null, inputs: null, outputs: null });
  const graph = lib.ggml_new_graph_custom(network.computed, 64, true);
  lib.ggml_build_forward_expand(graph, network.y);
  using allocator = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  lib.ggml_gallocr_alloc_graph(allocator, graph);
  lib.ggml_opt_prepare_alloc(optimizer, network.computed, graph, network.x, network.y);
  assertMatch(
    message(() => lib.ggml_opt_alloc(optimizer, true)),
    /^ggml_opt_alloc\(opt_ctx\): expected a graph without memory, got one whose MUL_MAT .* has memory of another allocator$/,
  );
});
