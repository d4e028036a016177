/** The headers of other libraries on ggml, from PyPI's source packages, become modules whose types say what their API files say. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { deno } from "../process.ts";
import { sourceFromPyPI } from "../pypi.ts";

/** A header, where it is from, and what is said of it. */
interface Consumer {
  readonly package: readonly [name: string, version: string];
  /** What of the package is unpacked, and the folders that are looked in. */
  readonly files: readonly string[];
  readonly include: readonly string[];
  readonly api: string;
  /** A program that type-checks, with its errors named. */
  readonly use: string;
}

const LLAMA = "vendor/llama.cpp", DIFFUSION = "vendor/stable-diffusion.cpp";

const CONSUMERS: Readonly<Record<string, Consumer>> = {
  "mtmd.h": {
    package: ["llama_cpp_python", "0.3.36"],
    files: ["mtmd.h", "mtmd-helper.h", "mtmd-helper-common.h"].map((name) => `${LLAMA}/tools/mtmd/${name}`).concat(
      `${LLAMA}/include`,
      `${LLAMA}/ggml/include`,
    ),
    include: ["tools/mtmd", "include", "ggml/include"].map((path) => `${LLAMA}/${path}`),
    api: `#include "mtmd.h"
      #pragma nullable mtmd_init_from_file(return)
      #pragma length mtmd_bitmap_init(data: 3 * nx * ny)`,
    use: `const marker: string = m.mtmd_default_marker();
      const bitmap: m.mtmd_bitmap = m.mtmd_bitmap_init(2, 3, new Uint8Array(18)), wide: number = m.mtmd_bitmap_get_nx(bitmap);
      const params = m.mtmd_context_params_default();
      params.use_gpu = false;
      export const ctx = (model: Deno.PointerObject): m.mtmd_context | null => m.mtmd_init_from_file(marker + wide, model, params);
      // @ts-expect-error: no pragma says that it may be null
      m.mtmd_bitmap_get_nx(null);`,
  },
  "stable-diffusion.h": {
    package: ["stable_diffusion_cpp_python", "0.4.7"],
    files: [`${DIFFUSION}/include`],
    include: [`${DIFFUSION}/include`],
    api: `#include "stable-diffusion.h"
      #pragma nullable new_sd_ctx(return)`,
    use: `const params = new m.sd_ctx_params_t();
      m.sd_ctx_params_init(params);
      export const ctx: m.sd_ctx_t | null = m.new_sd_ctx(params), name: string = m.sd_type_name(m.SD_TYPE_F16);
      // @ts-expect-error: a number that none of the enum's constants is
      m.sd_type_name("F16");`,
  },
};

for (const [header, { package: [name, version], files, include, api, use }] of Object.entries(CONSUMERS)) {
  Deno.test(`${header} becomes a module that type-checks`, async () => {
    const source = await sourceFromPyPI(name, version, `a module for ${header}`, files);
    if (source === null) return;
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/api.h`, api.replaceAll(/^ +/gm, ""));
      const made = await deno([
        ...["run", "--quiet", "-RW", "lexer/cli.ts", "generate", "--library", "/nowhere/it.so", "--api", `${folder}/api.h`],
        ...include.flatMap((path) => ["-I", `${source}/${path}`]),
        ...["--out", `${folder}/it.ts`],
      ]);
      assertEquals([made.code, made.stderr], [0, ""]);
      assertStringIncludes(made.stdout, "Skipped nothing");
      await Deno.writeTextFile(`${folder}/use.ts`, `import * as m from "./it.ts";\n${use}\n`);
      const checked = await deno(["check", "--quiet", "--no-config", `${folder}/use.ts`]);
      assertEquals(checked.code, 0, checked.stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
