/** Options that aren't there, or are spelled otherwise, are errors: a notebook checks no types, and a wrong one would be passed over. */

import { assertRejects, assertThrows } from "@std/assert";
import { download, lib, load } from "@ggml/deno";
import {
  compute,
  computeAsync,
  copy,
  copyAsync,
  formatTensor,
  init,
  loadWeights,
  print,
  quantizationError,
  quantize,
  rpc,
  save,
  tensor,
  toHtml,
  toSvg,
  view,
  writeGguf,
  writeNpy,
} from "@ggml/deno/utils";

const WRONG = { mem_size: 1 } as never;

Deno.test("an option that isn't there is an error that names those that are", async () => {
  using ctx = init(), cpu = lib.ggml_backend_cpu_init()!;
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 32), 1), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
  const now: Record<string, () => unknown> = {
    init: () => init(WRONG),
    tensor: () => tensor(ctx, [1], WRONG),
    view: () => view(a, WRONG),
    print: () => print(a, WRONG),
    formatTensor: () => formatTensor(a, WRONG),
    copy: () => copy([1], a, WRONG),
    compute: () => compute(graph, WRONG),
    quantize: () => quantize([1], lib.GGML_TYPE_F32, WRONG),
    writeNpy: () => writeNpy("nothing.npy", a, WRONG),
    "rpc.connect": () => rpc.connect("127.0.0.1:1", WRONG),
    load: () => load(WRONG),
    quantizationError: () => quantizationError([1], lib.GGML_TYPE_Q8_0, WRONG),
  };
  for (const [name, call] of Object.entries(now)) assertThrows(call, TypeError, `${name}: there is no option mem_size; there are `);
  const later: Record<string, () => Promise<unknown>> = {
    computeAsync: () => computeAsync(graph, WRONG),
    copyAsync: () => copyAsync([1], a, WRONG),
    loadWeights: () => loadWeights("nothing.gguf", WRONG),
    toSvg: () => toSvg(a, WRONG),
    toHtml: () => toHtml(a, WRONG),
    "rpc.serve": () => rpc.serve(WRONG),
    save: () => save(a, "nothing.svg", WRONG),
    download: () => download(WRONG),
    ggml_backend_graph_compute: () => lib.async.ggml_backend_graph_compute(cpu, graph, WRONG),
    "writeGguf: nothing.gguf": () => writeGguf("nothing.gguf", WRONG),
  };
  for (const [name, call] of Object.entries(later)) {
    await assertRejects(call, TypeError, `${name}: there is no option mem_size; there are `);
  }
  assertThrows(() => init({ mem_size: 1 } as never), TypeError, "there are memSize, memBuffer, noAlloc");
  assertThrows(() => compute(graph, { signal: AbortSignal.timeout(1) } as never), TypeError, "compute: there is no option signal");
});

Deno.test("a null is no option that isn't given: C answers so where there is no such backend", async () => {
  using ctx = init();
  const graph = lib.ggml_new_graph(ctx);
  assertThrows(
    () => compute(graph, { backend: null as never }),
    TypeError,
    "backend must be a ggml_backend or a ggml_backend_sched, got null",
  );
  await assertRejects(() => computeAsync(graph, { backend: null as never }), TypeError, "got null");
  await assertRejects(
    () => copyAsync([1], new Float32Array(1), { backend: null as never }),
    TypeError,
    "backend must be a ggml_backend, got null",
  );
  assertThrows(() => tensor(ctx, [1], { type: null as never }), TypeError, "got null");
});
