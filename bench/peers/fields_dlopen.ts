// One field of 64 tensors in turn, by hand on Deno.dlopen, through a DataView of each made beforehand:
// deno run --allow-ffi bench/peers/fields_dlopen.ts LIBRARY type|ne

import { measure } from "../rounds.ts";

const TURNS = 1_000_000;
const TENSOR_SIZE = 336, TYPE = 0, NE = 16; // of struct ggml_tensor

const [path, what] = Deno.args;
const { symbols: ggml } = Deno.dlopen(path, {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
});

const ctx = ggml.ggml_init(new Uint8Array(new BigUint64Array([16n * 1024n * 1024n, 0n, 0n]).buffer));
const tensors = Array.from({ length: 64 }, () => {
  const tensor = ggml.ggml_new_tensor_1d(ctx, 1, 256n)!;
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(tensor, TENSOR_SIZE));
});

if (what === "type") {
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += tensors[i & 63].getInt32(TYPE, true);
      return sum / turns;
    },
    TURNS,
    "1",
  );
} else {
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += Number(tensors[i & 63].getBigInt64(NE, true));
      return sum / turns;
    },
    TURNS,
    "256",
  );
}
