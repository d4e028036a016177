/**
 * The tests that are meant for every release: they name nothing that some release lacks, and hold nothing that one release computes otherwise.
 *
 * @module
 */

import { join } from "@std/path";

/** Their files, wherever they are under `tests/`. Those that take seconds are left out where it must be quick. */
const QUICK = [
  "context_test.ts",
  "demo_test.ts",
  "dims_test.ts",
  "domain_test.ts",
  "layout_test.ts",
  "print_test.ts",
  "slice_test.ts",
  "struct_arrays_test.ts",
];

const SLOW = [
  "abort_test.ts",
  "compute_test.ts",
  "copy_async_test.ts",
  "copy_layout_test.ts",
  "copy_test.ts",
  "display_graph_test.ts",
  "display_test.ts",
  "doctor_test.ts",
  "init_test.ts",
  "load_test.ts",
  "log_test.ts",
  "npy_test.ts",
  "npz_test.ts",
  "print_numpy_test.ts",
  "quantize_test.ts",
  "safetensors_test.ts",
  "timings_test.ts",
];

/** Those of them that are about the library which nobody named: there is none of a tree's. */
const OF_DEFAULT: ReadonlySet<string> = new Set(["doctor_test.ts", "load_test.ts"]);

/**
 * The paths of the tests in a checkout, from its root.
 *
 * @param llama Whether it has llama's functions: without, the tests that use some are left out.
 * @param named Whether the library is one that is named, as a tree's is.
 */
export async function suite(root: string, quick: boolean, llama: boolean, named = false): Promise<string[]> {
  const wanted = new Set(quick ? QUICK : [...QUICK, ...SLOW]), found: string[] = [];
  for await (const path of walk(root, "tests")) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!wanted.has(name) || named && OF_DEFAULT.has(name)) continue;
    if (llama || !/\blib\.llama_|tiny_llama/.test(await Deno.readTextFile(join(root, path)))) found.push(path);
  }
  return found.sort();
}

async function* walk(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    if (isDirectory) yield* walk(root, `${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}
