/**
 * How fast the front end reads ggml's and llama's headers: in a warm process, and as a cold process of `dump`.
 *
 *     deno run -A bench/lexer_ggml.ts LLAMA_CPP_TREE
 *
 * @module
 */

import { parse } from "../lexer/mod.ts";

const root = Deno.args[0] ?? Deno.env.get("INCLUDE");
if (root === undefined) throw new Error("which llama.cpp tree? (an argument, or INCLUDE)");
const include = [`${root}/ggml/include`];
const files = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h"].map((name) =>
  `${root}/ggml/include/${name}`
);
files.push(`${root}/include/llama.h`);

const times: number[] = [];
for (let i = 0; i < 100; i++) {
  const start = performance.now();
  parse(files, { include });
  times.push(performance.now() - start);
}
const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1];
console.log(`first in a process    ${times[0].toFixed(1)} ms`);
console.log(`after warm-up         ${median(times.slice(50)).toFixed(2)} ms (to reach: 15)`);

const cli = new URL("../lexer/cli.ts", import.meta.url).href;
const empty = Deno.makeTempFileSync({ suffix: ".ts" });
const wall = async (args: string[]) => {
  const list: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "inherit" }).output();
    if (!success) throw new Error(args.join(" "));
    list.push(performance.now() - start);
  }
  return median(list);
};
const bare = await wall(["run", "--no-config", empty]);
const cold = await wall(["run", "-RW", cli, "dump", "--no-standard", ...files, ...include.map((path) => `-I${path}`)]);
Deno.removeSync(empty);
console.log(`deno on an empty file ${bare.toFixed(0)} ms`);
console.log(`cold process of dump  ${cold.toFixed(0)} ms, ${(cold - bare).toFixed(0)} of them ours (to reach: 60)`);
