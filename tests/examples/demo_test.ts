/** The first examples, as a user runs them. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, view } from "@ggml/deno/utils";
import { RELEASE } from "../../ffi/load/find.ts";
import { bytesOf, compute } from "../context.ts";
import { deno } from "../process.ts";

/** FNV-1a, 64 bit. */
function fnv1a(bytes: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16);
}

Deno.test("the example prints its three arrays, with --allow-ffi alone, offline once it has run", async () => {
  for (const offline of [[], ["--cached-only"]]) {
    const { code, stdout, stderr } = await deno(["run", "--no-prompt", "--allow-ffi", ...offline, "examples/add_quant.ts"]);
    assertEquals(code, 0, stderr);
    assertEquals(stdout.match(/Float32Array\(256\)/g)?.length, 3);
    assertMatch(stdout, /0, +1\.03125, +2\.0625, +3\.09375, +4\.125, +5\.15625,/);
    assertMatch(stdout, /0, +100, +200, +300,/);
    assertMatch(stdout, /0, +104\.125, +208\.25, +312\.375, +416\.5,\s+520\.625,/);
  }
});

Deno.test("the README's example is the demo, and prints what README says, shortened", async () => {
  const readme = await Deno.readTextFile("README.md"), [, example, printed] = /```ts\n([^]*?)```\n\n```text\n([^]*?)```/.exec(readme)!;
  assertEquals((await Deno.readTextFile("examples/layer.ts")).replace(/^.*\n\n/, ""), example);
  const { code, stdout, stderr } = await deno(["run", "--no-prompt", "--allow-ffi", "examples/layer.ts"]);
  assertEquals(code, 0, stderr);
  for (const part of printed.split(" …\n")) assertStringIncludes(stdout, part);
});

Deno.test("README fits a window: at most 180 lines of at most 100 columns", async () => {
  const lines = (await Deno.readTextFile("README.md")).trimEnd().split("\n");
  assertEquals(lines.filter(({ length }) => length > 100), []);
  assertEquals(lines.length <= 180, true, `${lines.length} lines`);
});

Deno.test("the quantized bytes of examples/add_quant.ts are ggml's own", () => {
  using ctx = init({ memSize: 12 * 1024 * 1024 });
  const n = 256;
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_Q5_K, n), b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, n);
  const sum = lib.ggml_add(ctx, a, b);
  copy(Float32Array.from({ length: n }, (_, i) => i), a);
  copy(Float32Array.from({ length: n }, (_, i) => i * 100), b);
  compute(ctx, sum);
  assertEquals([fnv1a(bytesOf(a)), fnv1a(bytesOf(sum))], ["8a92c833d23626ee", "970f09bb172b992e"]);
  assertEquals([...view(sum, { allowCopy: true }).data.subarray(0, 6)], [0, 104.125, 208.25, 312.375, 416.5, 520.625]);
});

Deno.test("deno.lock pins the packages that it uses, by integrity", async () => {
  const lock = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
  for (
    const name of [
      `@node-llama-cpp/linux-x64@${RELEASE.package}`,
      "ndarray@1.1.1",
      "iota-array@1.0.0",
      "is-buffer@1.1.6",
    ]
  ) {
    assertStringIncludes(lock.npm[name].integrity, "sha512-", name);
  }
});
