/** The generated layouts, enums and constants against what gcc says of the same headers. */

import { assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { ABI } from "../../ffi/generated/layouts.js";
import { headers } from "../lexer/headers.ts";

async function hasGcc(): Promise<boolean> {
  try {
    return (await new Deno.Command("gcc", { args: ["--version"] }).output()).success;
  } catch {
    console.warn("SKIPPED: the generated layouts against gcc (there is no gcc: apt-get install gcc)");
    return false;
  }
}

/** The C type of a struct class: a typedef, a tag or, for one without either, the type of the field that it is. */
function cType(name: string): string {
  for (const [outer, { fields }] of Object.entries(ABI.records)) {
    for (const field of Object.keys(fields)) if (name === `${outer}_${field}`) return `__typeof__(((${cType(outer)} *) 0)->${field})`;
  }
  return name === "ggml_bf16_t" ? name : `struct ${name.replace(/_struct$/, "")}`;
}

/** A C file that compiles only if the headers say what the bindings say. */
function assertions(): string {
  const lines = ["#include <stddef.h>"];
  for (const header of ["ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h", "ggml-cuda.h", "ggml-rpc.h"]) {
    lines.push(`#include "${header}"`);
  }
  if ("llama_decode" in lib) lines.push('#include "llama.h"'); // not where the bindings are of a tree of ggml's alone
  const check = (condition: string) => lines.push(`_Static_assert(${condition}, "");`);
  for (const [name, { size, fields }] of Object.entries(ABI.records)) {
    const type = cType(name);
    check(`sizeof(${type}) == ${size}`);
    for (const [field, offset] of Object.entries(fields)) check(`offsetof(${type}, ${field}) == ${offset}`);
  }
  for (const values of Object.values(ABI.enums)) for (const [name, value] of Object.entries(values)) check(`${name} == ${value}`);
  const all = lib as unknown as Record<string, unknown>;
  for (const name of Object.keys(all)) {
    if (!/^(GGML|GGUF|LLAMA)_/.test(name) || typeof all[name] !== "number") continue;
    if (name === "GGML_TENSOR_SIZE") continue; // a variable, to C
    if (/^GGML_(CANN|SYCL|VK|ET|OPENVINO|WEBGPU)/.test(name)) continue; // of headers that aren't included here
    check(`(long long) ${name} == ${all[name]}LL`);
  }
  return lines.join("\n");
}

Deno.test("gcc agrees with every size, offset, enum value and integer constant", async () => {
  if (!await hasGcc()) return;
  const tree = await headers();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/check.c`, assertions());
    const args = ["-std=gnu17", "-fsyntax-only", "-Wno-deprecated-declarations", `-I${tree}/ggml/include`, `-I${tree}/include`, "check.c"];
    const { stderr } = await new Deno.Command("gcc", { args, cwd: folder }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    await Deno.writeTextFile(
      `${folder}/check.c`,
      assertions().replace("sizeof(struct ggml_tensor) == 336", "sizeof(struct ggml_tensor) == 337"),
    );
    assertEquals((await new Deno.Command("gcc", { args, cwd: folder }).output()).success, false); // so the test can fail
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
