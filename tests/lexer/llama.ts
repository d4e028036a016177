/**
 * Where ggml's and llama's headers are.
 *
 * @module
 */

import { headers } from "./headers.ts";

/** How many of the headers are ggml's core. */
export const CORE = 6;

/** The headers of a llama.cpp tree, ggml's core first, and their search path. */
export async function headerPaths(): Promise<{ include: string[]; all: string[] }> {
  const root = (await headers()).replace(/\/$/, "");
  const core = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h"].map((name) =>
    `${root}/ggml/include/${name}`
  );
  return { include: [`${root}/ggml/include`, `${root}/include`], all: [...core, `${root}/include/llama.h`] };
}

/**
 * How many functions headers declare, counted without the front end: each has one of three macros before it. So no test holds a number of the
 * pinned release's.
 */
export function declarations(paths: readonly string[]): number {
  let count = 0;
  for (const path of paths) {
    const text = Deno.readTextFileSync(path)
      .replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "") // comments
      .replaceAll(/^[ \t]*#(.*\\\n)*.*$/gm, ""); // directives
    count += text.match(/\b(GGML_API|GGML_BACKEND_API|LLAMA_API)\b/g)?.length ?? 0;
  }
  return count;
}
