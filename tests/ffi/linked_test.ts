/**
 * Libraries that don't find each other: on Windows one is looked for among the open ones and not beside the file that is linked with it.
 * The same comes of taking from Linux' libraries where they look.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { scoreOf } from "../../ffi/load/files.ts";
import { program } from "../process.ts";

const IGNORE = { ignore: Deno.build.os !== "linux" };

const USE = `using ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1e6 }));
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), 2), graph = lib.ggml_new_graph(ctx), sum = lib.ggml_add(ctx, a, a);
  lib.ggml_build_forward_expand(graph, sum);
  lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
  console.log(lib.ggml_get_f32_1d(sum, 3), typeof lib.llama_max_devices());`;

/** Copies of the default library's files, which look for others in no folder of their own. */
async function withoutRunPath(folder: string): Promise<string[]> {
  const names = Array.from(Deno.readDirSync(load().path), ({ name }) => name).filter((name) => name.endsWith(".so"));
  const from = new TextEncoder().encode("\0$ORIGIN:\0"), to = new TextEncoder().encode("\0/nowhere\0");
  for (const name of names) {
    const file = await Deno.readFile(load().path + name), text = new TextDecoder("latin1").decode(file);
    const at = text.indexOf(new TextDecoder("latin1").decode(from));
    assert(at > 0, `${name} has no run path`);
    file.set(to, at);
    await Deno.writeFile(`${folder}/${name}`, file);
  }
  return names;
}

Deno.test("libraries that don't find what they are linked with are opened in that order, by folder and by name", IGNORE, async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const names = await withoutRunPath(folder);
    const variant = names.find((name) => /ggml-cpu-/.test(name) && scoreOf(load().path + name)! > 0)!;
    const llama = names.find((name) => /^libllama\.v/.test(name))!, registry = names.find((name) => /^libggml\.v/.test(name))!;
    await t.step("none but the base opens by itself", async () => {
      const text = `for (const name of ${JSON.stringify([variant, llama, registry, "libggml-base.so"])}) {
        try { Deno.dlopen(${
        JSON.stringify(folder)
      } + "/" + name, {}).close(); console.log("opens") } catch (error) { console.log(error.message) } }`;
      const { stdout } = await program(text);
      const [cpu, model, ggml, base] = stdout.trim().split("\n");
      for (const line of [cpu, model, ggml]) assertStringIncludes(line, ": cannot open shared object file");
      assertEquals(base, "opens");
    });
    for (const path of ["", "/", `/${variant}`, `/${llama}`, `/${registry}`, "/libggml-base.so"]) {
      await t.step(`load({ path: ${JSON.stringify(path)} })`, async () => {
        const text = `import { lib, load } from "@ggml/deno"; load({ path: ${JSON.stringify(folder + path)} }); ${USE}`;
        const { code, stdout, stderr } = await program(text);
        assertEquals([code, stdout], [0, "4 number\n"], stderr);
      });
    }
    await t.step("what can't be opened all the same leaves nothing open", async () => {
      await Deno.writeTextFile(`${folder}/libggml-cpu-broken.so`, "no library, but a text that is as long as the header of one would be");
      const text = `import { load } from "@ggml/deno";
        try { load({ path: ${JSON.stringify(`${folder}/libggml-cpu-broken.so`)} }) } catch (error) { console.log(error.message) }
        console.log(Deno.readTextFileSync("/proc/self/maps").includes(${JSON.stringify(folder)}));`;
      const { stdout } = await program(text, ["--allow-all"]);
      assertStringIncludes(stdout, "invalid ELF header");
      assertStringIncludes(stdout, "false");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
