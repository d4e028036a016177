// Numbers in and out of tensors: deno run --allow-ffi bench/ours/copies.ts FIGURE

import { lib } from "@ggml/deno";
import { copy, copyAsync, init, ndarray } from "@ggml/deno/utils";
import { median, report } from "../rounds.ts";

const COUNT = 1 << 24, SIDE = 4096, SMALL = 64;
/** How many rounds a copy has that takes much less or much more time than the others. */
const ROUNDS: Record<string, number> = { small: 101, "f32-q4_K": 3 };

/** The numbers that each contender copies: between -0.5 and 0.5. */
function numbers(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 0) / 2 ** 32 - 0.5);
}

/** The sum of 1024 of the result's bytes: the answer that all contenders must give. */
function checksum(bytes: Uint8Array): string {
  let sum = 0;
  for (let i = 0; i < 1024; i++) sum += bytes[Math.floor(i * bytes.length / 1024)];
  return String(sum);
}

const ctx = init({ memSize: 4 * COUNT + (1 << 20) });
const f32 = numbers(COUNT);

/** Each takes the numbers to somewhere and says where. */
const FIGURES: Record<string, () => { run: () => void | Promise<void>; bytes: Uint8Array }> = {
  "f32-f32": () => to(lib.GGML_TYPE_F32),
  "f32-f16": () => to(lib.GGML_TYPE_F16),
  "f16-f32": () => from(lib.GGML_TYPE_F16),
  "q4_K-f32": () => from(lib.GGML_TYPE_Q4_K),
  "f32-q4_K": () => {
    const tensor = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_K, SIDE, SIDE);
    return { run: () => copyAsync(f32, tensor), bytes: bytesOf(tensor) };
  },
  transposed: () => {
    const tensor = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, SIDE, SIDE), transposed = lib.ggml_transpose(ctx, tensor);
    copy(f32, tensor);
    const out = ndarray(new Float32Array(COUNT), [SIDE, SIDE]);
    return { run: () => copy(transposed, out), bytes: new Uint8Array(out.data.buffer) };
  },
  small: () => {
    const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, SMALL), few = f32.subarray(0, SMALL);
    const run = () => {
      for (let i = 0; i < 1000; i++) copy(few, tensor);
    };
    return { run, bytes: bytesOf(tensor) };
  },
};

function to(type: lib.ggml_type) {
  const tensor = lib.ggml_new_tensor_1d(ctx, type, COUNT);
  return { run: () => copy(f32, tensor), bytes: bytesOf(tensor) };
}

function from(type: lib.ggml_type) {
  const tensor = lib.ggml_new_tensor_1d(ctx, type, COUNT);
  copy(f32, tensor);
  const out = new Float32Array(COUNT);
  return { run: () => copy(tensor, out), bytes: new Uint8Array(out.buffer) };
}

function bytesOf(tensor: lib.ggml_tensor): Uint8Array {
  return tensor.data!.bytes(lib.ggml_nbytes(tensor));
}

const figure = Deno.args[0], { run, bytes } = FIGURES[figure]();
const times: number[] = [];
for (let round = -2; round < (ROUNDS[figure] ?? 9); round++) {
  const start = performance.now();
  await run();
  if (round >= 0) times.push((performance.now() - start) * 1e6);
}
report(median(times), checksum(bytes));
