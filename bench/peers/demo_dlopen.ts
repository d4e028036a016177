// What examples/add_quant.ts does, by hand on Deno.dlopen: deno run --allow-ffi bench/peers/demo_dlopen.ts LIBRARY

const ggml = Deno.dlopen(Deno.args[0], {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
  ggml_add: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_new_graph: { parameters: ["pointer"], result: "pointer" },
  ggml_build_forward_expand: { parameters: ["pointer", "pointer"], result: "void" },
  ggml_graph_compute_with_ctx: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  ggml_quantize_chunk: { parameters: ["i32", "buffer", "pointer", "i64", "i64", "i64", "pointer"], result: "usize" },
  ggml_get_type_traits: { parameters: ["i32"], result: "pointer" },
  ggml_get_data: { parameters: ["pointer"], result: "pointer" },
}).symbols;

const F32 = 0, Q5_K = 13;
const TO_FLOAT_OFFSET = 40; // in struct ggml_type_traits
const n = 256, threads = navigator.hardwareConcurrency;

const params = new BigUint64Array([12n * 1024n * 1024n, 0n, 0n]);
const ctx = ggml.ggml_init(new Uint8Array(params.buffer));

const a = ggml.ggml_new_tensor_1d(ctx, Q5_K, BigInt(n));
const b = ggml.ggml_new_tensor_1d(ctx, F32, BigInt(n));
const sum = ggml.ggml_add(ctx, a, b);

const graph = ggml.ggml_new_graph(ctx);
ggml.ggml_build_forward_expand(graph, sum);

function floats(tensor: Deno.PointerValue): Float32Array {
  return new Float32Array(Deno.UnsafePointerView.getArrayBuffer(ggml.ggml_get_data(tensor)!, 4 * n));
}

function dequantized(tensor: Deno.PointerValue): Float32Array {
  const traits = new Deno.UnsafePointerView(ggml.ggml_get_type_traits(Q5_K)!);
  const toFloat = new Deno.UnsafeFnPointer(
    traits.getPointer(TO_FLOAT_OFFSET) as Deno.PointerObject<{ parameters: ["pointer", "buffer", "i64"]; result: "void" }>,
    { parameters: ["pointer", "buffer", "i64"], result: "void" },
  );
  const numbers = new Float32Array(n);
  toFloat.call(ggml.ggml_get_data(tensor), numbers, BigInt(n));
  return numbers;
}

ggml.ggml_quantize_chunk(Q5_K, Float32Array.from({ length: n }, (_, i) => i), ggml.ggml_get_data(a), 0n, 1n, BigInt(n), null);
floats(b).set(Float32Array.from({ length: n }, (_, i) => i * 100));
ggml.ggml_graph_compute_with_ctx(ctx, graph, threads);

console.log(dequantized(a));
console.log(floats(b));
console.log(dequantized(sum));
