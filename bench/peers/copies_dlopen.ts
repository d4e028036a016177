// What ../ours/copies.ts does, by hand on Deno.dlopen: the routines that C uses, on one thread, and typed arrays over C's memory:
// deno run --allow-ffi bench/peers/copies_dlopen.ts LIBRARY FIGURE

import { median, report } from "../rounds.ts";

const [path, figure] = Deno.args;
const { symbols: ggml } = Deno.dlopen(path, {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_cpu_init: { parameters: [], result: "void" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
  ggml_new_tensor_2d: { parameters: ["pointer", "i32", "i64", "i64"], result: "pointer" },
  ggml_get_data: { parameters: ["pointer"], result: "pointer" },
  ggml_nbytes: { parameters: ["pointer"], result: "usize" },
  ggml_cpu_fp32_to_fp16: { parameters: ["buffer", "pointer", "i64"], result: "void" },
  ggml_cpu_fp16_to_fp32: { parameters: ["pointer", "buffer", "i64"], result: "void" },
  ggml_quantize_chunk: { parameters: ["i32", "buffer", "pointer", "i64", "i64", "i64", "pointer"], result: "usize" },
  ggml_get_type_traits: { parameters: ["i32"], result: "pointer" },
  ggml_transpose: { parameters: ["pointer", "pointer"], result: "pointer" },
  ggml_cont: { parameters: ["pointer", "pointer"], result: "pointer" },
  ggml_new_graph: { parameters: ["pointer"], result: "pointer" },
  ggml_build_forward_expand: { parameters: ["pointer", "pointer"], result: "void" },
  ggml_graph_compute_with_ctx: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
});

const COUNT = 1 << 24, SIDE = 4096, SMALL = 64;
/** As many rounds as `bench/ours/copies.ts` has. */
const ROUNDS: Record<string, number> = { small: 101, "f32-q4_K": 3 };
const F32 = 0, F16 = 1, Q4_K = 12;
const TO_FLOAT_OFFSET = 40; // in struct ggml_type_traits
const TO_FLOAT = { parameters: ["pointer", "buffer", "i64"], result: "void" } as const;

/** The numbers that each contender copies: between -0.5 and 0.5. */
const f32 = Float32Array.from({ length: COUNT }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 0) / 2 ** 32 - 0.5);
const out = new Float32Array(COUNT), outBytes = new Uint8Array(out.buffer);

ggml.ggml_cpu_init();
const ctx = ggml.ggml_init(new Uint8Array(new BigUint64Array([BigInt(8 * COUNT + (16 << 20)), 0n, 0n]).buffer));

interface Job {
  readonly run: () => void;
  readonly bytes: Uint8Array;
}

/** A tensor's data, as C and as JavaScript see it. */
function tensorOf(type: number, count = COUNT) {
  const tensor = ggml.ggml_new_tensor_1d(ctx, type, BigInt(count)), data = ggml.ggml_get_data(tensor)!;
  return { tensor, data, bytes: bytesOf(tensor) };
}

function bytesOf(tensor: Deno.PointerValue): Uint8Array {
  const size = Number(ggml.ggml_nbytes(tensor));
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(ggml.ggml_get_data(tensor)!, size));
}

function quantize(data: Deno.PointerValue): void {
  ggml.ggml_quantize_chunk(Q4_K, f32, data, 0n, BigInt(SIDE), BigInt(SIDE), null);
}

const JOBS: Record<string, () => Job> = {
  "f32-f32": () => {
    const { bytes } = tensorOf(F32), floats = new Float32Array(bytes.buffer);
    return { run: () => floats.set(f32), bytes };
  },
  "f32-f16": () => {
    const { data, bytes } = tensorOf(F16);
    return { run: () => ggml.ggml_cpu_fp32_to_fp16(f32, data, BigInt(COUNT)), bytes };
  },
  "f16-f32": () => {
    const { data } = tensorOf(F16);
    ggml.ggml_cpu_fp32_to_fp16(f32, data, BigInt(COUNT));
    return { run: () => ggml.ggml_cpu_fp16_to_fp32(data, out, BigInt(COUNT)), bytes: outBytes };
  },
  "q4_K-f32": () => {
    const { data } = tensorOf(Q4_K);
    quantize(data);
    const pointer = new Deno.UnsafePointerView(ggml.ggml_get_type_traits(Q4_K)!).getPointer(TO_FLOAT_OFFSET);
    const toFloat = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<typeof TO_FLOAT>, TO_FLOAT);
    return { run: () => toFloat.call(data, out, BigInt(COUNT)), bytes: outBytes };
  },
  "f32-q4_K": () => {
    const { data, bytes } = tensorOf(Q4_K);
    return { run: () => quantize(data), bytes };
  },
  transposed: () => {
    const tensor = ggml.ggml_new_tensor_2d(ctx, F32, BigInt(SIDE), BigInt(SIDE));
    new Float32Array(bytesOf(tensor).buffer).set(f32);
    const result = ggml.ggml_cont(ctx, ggml.ggml_transpose(ctx, tensor));
    const graph = ggml.ggml_new_graph(ctx);
    ggml.ggml_build_forward_expand(graph, result);
    return { run: () => ggml.ggml_graph_compute_with_ctx(ctx, graph, navigator.hardwareConcurrency), bytes: bytesOf(result) };
  },
  small: () => {
    const { bytes } = tensorOf(F32, SMALL), floats = new Float32Array(bytes.buffer), few = f32.subarray(0, SMALL);
    const run = () => {
      for (let i = 0; i < 1000; i++) floats.set(few);
    };
    return { run, bytes };
  },
};

const { run, bytes } = JOBS[figure]();
const times: number[] = [];
for (let round = -2; round < (ROUNDS[figure] ?? 9); round++) {
  const start = performance.now();
  run();
  if (round >= 0) times.push((performance.now() - start) * 1e6);
}
let sum = 0;
for (let i = 0; i < 1024; i++) sum += bytes[Math.floor(i * bytes.length / 1024)];
report(median(times), String(sum));
