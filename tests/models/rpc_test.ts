/** Models and weights in the memory of other processes' devices: two servers on loopback. */

import { assert, assertEquals } from "@std/assert";
import { NAME } from "../../tools/build_rpc.ts";
import { program } from "../process.ts";
import { rpcBuild } from "../rpc.ts";
import { start } from "../utils/rpc_server.ts";

const build = await rpcBuild(), library = `${build}${NAME}`;
const IGNORE = { ignore: build === null };

const SAID = new URL("said.ts", import.meta.url);

Deno.test("loadModel({ devices }) shares a model's layers out among two servers, and the tokens are the same", IGNORE, async () => {
  await using one = await start(library);
  await using two = await start(library);
  const { code, stdout, stderr } = await program(
    `import { rpc } from "@ggml/deno/utils";
    import { difference, sayWith } from ${JSON.stringify(SAID)};
    const path = "examples/models/moby.gguf", prompt = "Call me Ishmael. Some years", options = { library: ${JSON.stringify(library)} };
    const [one] = rpc.connect("${one.endpoint}", options), [two] = rpc.connect("${two.endpoint}", options);
    const here = await sayWith(path, { gpuLayers: 0, repack: false }, prompt, 16);
    for (const given of [{ devices: [one, two] }, { devices: [two], gpuLayers: 99 }, { devices: [one, two], gpuLayers: 2 }]) {
      const { tokens, logits, offloaded } = await sayWith(path, { ...given, repack: false }, prompt, 16);
      console.log(offloaded, tokens.length, String(tokens) === String(here.tokens), Math.max(...logits.map((each, i) => difference(each, here.logits[i]))));
    }`,
    ["--allow-ffi", "--allow-read"],
  );
  assertEquals(code, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => line.split(" "));
  assertEquals(lines.map((words) => words.slice(0, 3)), [["7/7", "16", "true"], ["7/7", "16", "true"], ["2/7", "16", "true"]]);
  // The servers compute with the same kernels where nothing is rearranged.
  for (const [, , , far] of lines) assert(Number(far) < 1e-3, far);
});

Deno.test("loadWeights fills the memory of a server's device, and what is computed there is the same", IGNORE, async () => {
  await using server = await start(library);
  const { code, stdout, stderr } = await program(
    `import { lib } from "@ggml/deno";
    import { compute, copy, init, loadWeights, rpc, toArray } from "@ggml/deno/utils";
    const [remote] = rpc.connect("${server.endpoint}", { library: ${JSON.stringify(library)} });
    const product = async (backend) => {
      using weights = await loadWeights("examples/models/moby.gguf", { backend, map: false });
      using ctx = init({ noAlloc: true });
      const matrix = weights.tensors.get("blk.0.ffn_up.weight"), column = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, matrix.ne[0]);
      const result = lib.ggml_mul_mat(ctx, matrix, column), graph = lib.ggml_new_graph(ctx);
      lib.ggml_build_forward_expand(graph, result);
      using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend);
      copy(Float32Array.from({ length: matrix.ne[0] }, (_, i) => Math.sin(i)), column);
      const bytes = new Uint8Array(lib.ggml_nbytes(matrix));
      lib.ggml_backend_tensor_get(matrix, bytes, 0, bytes.length);
      compute(graph, { backend });
      return { names: weights.buffers.map(({ name, kind }) => name + " " + kind), bytes, numbers: toArray(result) };
    };
    using cpu = lib.ggml_backend_cpu_init();
    using backend = lib.ggml_backend_dev_init(remote.device, null);
    const here = await product(cpu), there = await product(backend);
    console.log(JSON.stringify([here.names, there.names]));
    console.log(String(here.bytes) === String(there.bytes), Math.max(...here.numbers.map((x, i) => Math.abs(x - there.numbers[i]))));`,
    ["--allow-ffi", "--allow-read"],
  );
  assertEquals(code, 0, stderr);
  const [names, numbers] = stdout.trim().split("\n"), [equal, far] = numbers.split(" ");
  assertEquals(JSON.parse(names), [["CPU copied"], [`RPC0[${server.endpoint}] copied`]]);
  assertEquals(equal, "true");
  assert(Number(far) < 1e-5, far);
});
