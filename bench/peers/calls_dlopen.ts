// One call of a bare Deno.dlopen symbol in a loop, its result as Deno gives it:
// deno run --allow-ffi bench/peers/calls_dlopen.ts LIBRARY type_size|nelements

import { measure } from "../rounds.ts";

const TURNS = 1_000_000;

const [path, what] = Deno.args;
const { symbols: ggml } = Deno.dlopen(path, {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
  ggml_type_size: { parameters: ["i32"], result: "usize" },
  ggml_nelements: { parameters: ["pointer"], result: "i64" },
});

if (what === "type_size") {
  measure(
    (turns) => {
      let size = 0n;
      for (let i = 0; i < turns; i++) size = ggml.ggml_type_size(0);
      return size;
    },
    TURNS,
    "4",
  );
} else {
  const ctx = ggml.ggml_init(new Uint8Array(new BigUint64Array([16n * 1024n * 1024n, 0n, 0n]).buffer));
  const tensor = ggml.ggml_new_tensor_1d(ctx, 0, 256n);
  measure(
    (turns) => {
      let count = 0n;
      for (let i = 0; i < turns; i++) count = ggml.ggml_nelements(tensor);
      return count;
    },
    TURNS,
    "256",
  );
}
