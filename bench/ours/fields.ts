// One field of 64 tensors in turn: deno run --allow-ffi bench/ours/fields.ts type|ne

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { measure } from "../rounds.ts";

const TURNS = 1_000_000;

const ctx = init();
const tensors = Array.from({ length: 64 }, () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F16, 256));

if (Deno.args[0] === "type") {
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += tensors[i & 63].type;
      return sum / turns;
    },
    TURNS,
    "1",
  );
} else {
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += tensors[i & 63].ne[0];
      return sum / turns;
    },
    TURNS,
    "256",
  );
}
