// Training: the graph that computes the loss, its gradients and AdamW's step, and the memory for all of it.
//
// `ggml_opt_init` would build the same graph, but shows neither AdamW's means nor its count of steps, which a training that is resumed
// needs to go on as if nothing had happened. So its parts are put together here: ggml_build_backward_expand and ggml_opt_step_adamw.

import { lib } from "@ggml/deno";
import { compute, copy, init, view } from "@ggml/deno/utils";
import { logitsOf, parametersOf, type Shape } from "./llama.ts";
import { normal, randomFrom } from "./random.ts";
import { type Batch, VOCABULARY } from "./text.ts";

type Tensor = lib.ggml_tensor;
const { GGML_TYPE_F32: F32, GGML_TYPE_I32: I32 } = lib;

/** How AdamW averages, and how much it lets the matrices decay. */
const BETA1 = 0.9, BETA2 = 0.99, TINY = 1e-8, DECAY = 0.1;

/** Tensors that a graph may have. */
const NODES = 4096;

/** A parameter, and what AdamW keeps of its gradients. */
export interface Parameter {
  readonly weight: Tensor;
  /** The running mean of the gradients. */
  readonly mean: Tensor;
  /** The running mean of their squares. */
  readonly square: Tensor;
}

/** A model, and what trains it. */
export class Trainer implements Disposable {
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Steps that were taken. */
  steps = 0;
  readonly #threads: number;
  readonly #kept: lib.ggml_context;
  readonly #passing: lib.ggml_context = init({ memSize: NODES * 600, noAlloc: true });
  readonly #backend: lib.ggml_backend = lib.ggml_backend_cpu_init()!;
  readonly #memory: lib.ggml_backend_buffer;
  readonly #allocator: lib.ggml_gallocr = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  readonly #tokens: Tensor;
  readonly #labels: Tensor;
  readonly #loss: Tensor;
  /** What AdamW is told before each step: for matrices, and for vectors, which don't decay. */
  readonly #settings: { matrix: Tensor; vector: Tensor };
  readonly #training: lib.ggml_cgraph;
  readonly #evaluation: lib.ggml_cgraph;

  /** A model whose matrices are random. */
  constructor(shape: Shape, rows: number, seed: number, threads: number) {
    this.#threads = threads;
    const shapes = parametersOf(shape), { context } = shape;
    this.#kept = init({ memSize: (shapes.size * 3 + 16) * 400, noAlloc: true });
    const make = (type: lib.ggml_type, ne: readonly number[]) => {
      return lib.ggml_new_tensor(this.#kept, type, ne.length, BigInt64Array.from(ne, BigInt));
    };
    this.parameters = new Map(
      shapes.entries().map(([name, ne]) => {
        const parameter = { weight: make(F32, ne), mean: make(F32, ne), square: make(F32, ne) };
        parameter.weight.name = name;
        lib.ggml_set_param(parameter.weight);
        return [name, parameter];
      }),
    );
    this.#tokens = make(I32, [context * rows]);
    this.#labels = make(F32, [VOCABULARY, context * rows]);
    this.#settings = { matrix: make(F32, [7]), vector: make(F32, [7]) };
    const positions = make(I32, [context]), mask = make(F32, [context, context]), slope = make(F32, [1]);
    this.#memory = lib.ggml_backend_alloc_ctx_tensors(this.#kept, this.#backend)!;
    lib.ggml_backend_buffer_clear(this.#memory, 0);
    copy(Int32Array.from({ length: context }, (_, i) => i), positions);
    copy(Float32Array.from({ length: context ** 2 }, (_, i) => i % context > Math.floor(i / context) ? -Infinity : 0), mask);
    copy([1], slope);
    this.#randomize(shape, randomFrom(seed, 0));

    const weights = new Map(this.parameters.entries().map(([name, { weight }]) => [name, weight]));
    const logits = logitsOf(this.#passing, shape, { parameters: weights, tokens: this.#tokens, positions, mask });
    this.#loss = lib.ggml_cross_entropy_loss(this.#passing, logits, this.#labels);
    lib.ggml_set_loss(this.#loss);
    lib.ggml_set_output(this.#loss);
    this.#evaluation = this.#forward();
    this.#training = this.#backward(slope);
    // Memory for the larger graph is memory for both. The other way round the gradients would find what they need overwritten.
    if (!lib.ggml_gallocr_alloc_graph(this.#allocator, this.#training)) throw new Error("there is no memory for the graph");
  }

  /** Matrices keep the size of what they multiply; what is added to the sum of all layers gets smaller as they are more. */
  #randomize({ layers }: Shape, random: () => number): void {
    for (const [name, { weight: { ne }, weight }] of this.parameters) {
      const count = lib.ggml_nelements(weight), isAdded = /attn_output|ffn_down/.test(name);
      const size = Math.sqrt(1 / ne[0] / (isAdded ? 2 * layers : 1));
      copy(Float32Array.from({ length: count }, () => isMatrix(weight) ? normal(random) * size : 1), weight);
    }
  }

  /** The graph of the loss alone. */
  #forward(): lib.ggml_cgraph {
    const graph = lib.ggml_new_graph_custom(this.#passing, NODES, true);
    lib.ggml_build_forward_expand(graph, this.#loss);
    return graph;
  }

  /** The graph of the loss, the gradients and, when all of these are known, a step of each parameter. */
  #backward(slope: Tensor): lib.ggml_cgraph {
    const graph = this.#forward(), { matrix, vector } = this.#settings;
    // The loss's own gradient is 1; the others are made by the function.
    const gradients = new BigUint64Array(lib.ggml_graph_n_nodes(graph));
    gradients[gradients.length - 1] = slope.address;
    lib.ggml_build_backward_expand(this.#passing, graph, gradients);
    for (const { weight, mean, square } of this.parameters.values()) {
      const gradient = lib.ggml_graph_get_grad(graph, weight)!;
      const settings = isMatrix(weight) ? matrix : vector;
      lib.ggml_build_forward_expand(graph, lib.ggml_opt_step_adamw(this.#passing, weight, gradient, mean, square, settings));
    }
    return graph;
  }

  /** Takes a step. Returns the mean loss before it, in nats a token. */
  step(batch: Batch, rate: number): number {
    this.steps++;
    const corrections = [BETA1, BETA2].map((beta) => 1 / (1 - beta ** this.steps));
    copy([rate, BETA1, BETA2, TINY, DECAY, ...corrections], this.#settings.matrix);
    copy([rate, BETA1, BETA2, TINY, 0, ...corrections], this.#settings.vector);
    return this.#compute(this.#training, batch);
  }

  /** The mean loss, in nats a token. */
  evaluate(batches: Iterable<Batch>): number {
    const losses = Array.from(batches, (batch) => this.#compute(this.#evaluation, batch));
    return losses.reduce((a, b) => a + b, 0) / losses.length;
  }

  #compute(graph: lib.ggml_cgraph, { tokens, next }: Batch): number {
    copy(tokens, this.#tokens);
    const labels = view<Float32Array>(this.#labels).data.fill(0);
    next.forEach((token, i) => labels[i * VOCABULARY + token] = 1);
    compute(graph, { backend: this.#backend, threads: this.#threads });
    return view<Float32Array>(this.#loss).data[0];
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#allocator[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
    this.#backend[Symbol.dispose]();
    this.#passing[Symbol.dispose]();
    this.#kept[Symbol.dispose]();
  }
}

function isMatrix({ ne }: Tensor): boolean {
  return ne[1] > 1;
}
