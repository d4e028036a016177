/**
 * Where ggml's and llama's headers are.
 *
 * @module
 */

/** How many of the headers are ggml's core. */
export const CORE = 6;

/** The headers of a llama.cpp tree, ggml's core first, and their search path; null where there is no tree, which is said loudly. */
export async function headerPaths(): Promise<{ include: string[]; all: string[] } | null> {
  const root = await tree();
  if (root === null) {
    console.warn("SKIPPED: tests on ggml's own headers (set INCLUDE to a llama.cpp tree)");
    return null;
  }
  const core = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h"].map((name) =>
    `${root}/ggml/include/${name}`
  );
  return { include: [`${root}/ggml/include`, `${root}/include`], all: [...core, `${root}/include/llama.h`] };
}

async function tree(): Promise<string | null> {
  const root = Deno.env.get("INCLUDE");
  if (root === undefined) return null;
  try {
    await Deno.stat(`${root}/ggml/include/ggml.h`);
    return root;
  } catch {
    return null;
  }
}
