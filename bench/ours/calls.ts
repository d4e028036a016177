// One call of lib in a loop: deno run --allow-ffi bench/ours/calls.ts type_size|nelements

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { measure } from "../rounds.ts";

const TURNS = 1_000_000;

if (Deno.args[0] === "type_size") {
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += lib.ggml_type_size(0);
      return sum / turns;
    },
    TURNS,
    "4",
  );
} else {
  const tensor = lib.ggml_new_tensor_1d(init(), lib.GGML_TYPE_F32, 256);
  measure(
    (turns) => {
      let sum = 0;
      for (let i = 0; i < turns; i++) sum += lib.ggml_nelements(tensor);
      return sum / turns;
    },
    TURNS,
    "256",
  );
}
