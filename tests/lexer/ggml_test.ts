import { assert, assertEquals } from "@std/assert";
import { format, parse } from "../../lexer/mod.ts";
import { compareWithGcc } from "./gcc_e.ts";
import { haveGcc, judge } from "./judge.ts";
import { CORE, declarations, headerPaths } from "./llama.ts";

const { include, all } = await headerPaths();

Deno.test({
  name: "parse() finds every function of ggml's core headers and of llama.h, and nothing wrong",
  fn() {
    const count = (files: string[]) => {
      const { model, diagnostics } = parse(files, { include, target: "x86_64-linux" });
      assertEquals(diagnostics.map(format), []);
      return model.functions.filter((f) => !f.system).length;
    };
    for (const files of [all.slice(0, CORE), all]) {
      const declared = declarations(files);
      assertEquals(count(files), declared);
      assert(declared > 600, String(declared)); // as many as the oldest release has
    }
  },
});

Deno.test({
  name: "parse() gives ggml the same model on every 64-bit target, Windows among them",
  fn() {
    const shape = (target: "x86_64-linux" | "aarch64-linux" | "aarch64-macos") => {
      const { model } = parse(all, { include, target });
      const own = <T extends { system: boolean }>(list: readonly T[]) => list.filter((item) => !item.system);
      return {
        functions: own(model.functions).length,
        sizes: own(model.records).map((r) => [r.name ?? r.alias, r.size, r.align]),
        constants: own(model.constants).map((c) => [c.name, c.value]),
      };
    };
    const here = shape("x86_64-linux");
    assertEquals(shape("aarch64-linux"), here);
    assertEquals(shape("aarch64-macos"), here);
    const windows = parse(all, { include, target: "x86_64-windows" });
    assertEquals(windows.diagnostics.map(format), []);
    const records = windows.model.records.filter((record) => !record.system);
    assertEquals(records.map((r) => [r.name ?? r.alias, r.size, r.align]), here.sizes);
  },
});

Deno.test({
  name: "struct ggml_tensor is laid out as the library has it",
  fn() {
    const { model } = parse(all, { include, target: "x86_64-linux" });
    const tensor = model.records.find((r) => r.name === "ggml_tensor")!;
    const at = (name: string) => tensor.fields.find((f) => f.name === name)!.offset;
    assertEquals([tensor.size, at("data"), at("name"), at("ne"), at("src")], [336, 248, 256, 16, 152]);
  },
});

Deno.test({
  name: "gcc agrees with every function, size, offset, enum value and constant of ggml's and llama's headers",
  ignore: !haveGcc(),
  fn() {
    const { differences, assertions } = judge(all, { include });
    assertEquals(differences, []);
    assertEquals(assertions > 900, true);
  },
});

Deno.test({
  name: "preprocessing ggml's and llama's headers gives gcc -E's tokens",
  ignore: !haveGcc(),
  fn() {
    assertEquals(compareWithGcc(all, { include }).difference, null);
  },
});
