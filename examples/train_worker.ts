// A network learns sin(x) in a Worker, which makes the examples that it learns from in TypeScript, too: this thread stays free. Needs --allow-ffi,
// and --allow-read for the Worker's file, this one: deno run --allow-ffi --allow-read examples/train_worker.ts

import { lib } from "@ggml/deno";
import { compute, copy, init, ndarray, tensor, toArray } from "@ggml/deno/utils";

const F32 = lib.GGML_TYPE_F32;
const HIDDEN = 32, BATCH = 64, BATCHES = 16, EPOCHS = 200;

/** What is learned: the weights and biases of two layers. */
type Learned = Float32Array<ArrayBuffer>[];

/** What the Worker tells: how it gets on, and in the end what it learned. */
type Message = { epoch: number; loss: number } | { learned: Learned };

/** The network: one number in and one out, for as many as `x` has rows. */
function network(ctx: lib.ggml_context, x: lib.ggml_tensor, [w1, b1, w2, b2]: lib.ggml_tensor[]): lib.ggml_tensor {
  const hidden = lib.ggml_relu(ctx, lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, w1, x), b1)); // ne = [HIDDEN, rows]
  return lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, w2, hidden), b2); // ne = [1, rows]
}

/** In the Worker. It may block: nobody waits for it. */
function train(tell: (message: Message) => void): void {
  using backend = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(backend, 1);
  using params = init({ memSize: 5 * lib.ggml_tensor_overhead(), noAlloc: true });
  const x = lib.ggml_new_tensor_2d(params, F32, 1, BATCH);
  const shapes = [[1, HIDDEN], [HIDDEN], [HIDDEN, 1], [1]];
  const parameters = shapes.map((ne) => lib.ggml_new_tensor(params, F32, ne.length, BigInt64Array.from(ne, BigInt)));
  using _memory = lib.ggml_backend_alloc_ctx_tensors(params, backend);
  lib.ggml_set_input(x);
  for (const parameter of parameters) {
    lib.ggml_set_param(parameter);
    copy(Float32Array.from({ length: lib.ggml_nelements(parameter) }, () => Math.random() - 0.5), parameter);
  }

  const graphs = 3 * lib.ggml_graph_overhead_custom(2048, true);
  using computed = init({ memSize: 32 * lib.ggml_tensor_overhead() + graphs, noAlloc: true });
  const y = network(computed, x, parameters);
  lib.ggml_set_output(y);
  using scheduler = lib.ggml_backend_sched_new([backend], null, 1, 4096, false, true);
  const settings = lib.ggml_opt_default_params(scheduler, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
  settings.ctx_compute = computed;
  settings.inputs = x;
  settings.outputs = y;
  settings.get_opt_pars = new lib.ggml_opt_get_optimizer_params(() => {
    const step = lib.ggml_opt_get_default_optimizer_params(null);
    step.adamw.alpha = 0.005;
    return step;
  });
  using optimizer = lib.ggml_opt_init(settings);
  using dataset = lib.ggml_opt_dataset_init(F32, F32, 1, 1, BATCH * BATCHES, BATCH);
  using result = lib.ggml_opt_result_init();

  const loss = new Float64Array(1);
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    const inputs = Float32Array.from({ length: BATCH * BATCHES }, () => 6 * Math.random() - 3); // other examples each time
    copy(inputs, lib.ggml_opt_dataset_data(dataset));
    copy(inputs.map(Math.sin), lib.ggml_opt_dataset_labels(dataset)!);
    lib.ggml_opt_result_reset(result);
    lib.ggml_opt_epoch(optimizer, dataset, result, null, BATCH * BATCHES, null, null);
    lib.ggml_opt_result_loss(result, loss, null);
    if (epoch % 50 === 0) tell({ epoch, loss: loss[0] });
  }
  tell({ learned: parameters.map((parameter) => toArray(parameter)) });
}

/** In the thread that started the Worker: what was learned answers. */
function answer([w1, b1, w2, b2]: Learned, questions: readonly number[]): Float32Array {
  using ctx = init();
  const x = tensor(ctx, questions.map((question) => [question]));
  const y = network(ctx, x, [ndarray(w1, [HIDDEN, 1]), b1, w2, b2].map((array) => tensor(ctx, array))), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, y);
  compute(graph);
  return toArray(y);
}

const { postMessage } = globalThis as { postMessage?: (message: Message) => void };
if (postMessage !== undefined) train(postMessage);
else {
  const worker = new Worker(import.meta.url, { type: "module" }), begin = performance.now();
  const learned = await new Promise<Learned>((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("learned" in data) resolve(data.learned);
      else console.log(`epoch ${data.epoch}: loss ${data.loss.toFixed(5)}`);
    };
  });
  worker.terminate();
  console.log(`learned in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  const questions = [-2, 0.5, 1.5], answers = answer(learned, questions);
  questions.forEach((question, i) =>
    console.log(`sin(${question}) is ${Math.sin(question).toFixed(2)}, learned: ${answers[i].toFixed(2)}`)
  );
}
