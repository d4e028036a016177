/**
 * Packages of npm's that no program here imports: libraries for other systems.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { RELEASE } from "../ffi/load/find.ts";

const CACHE = new URL("../.cache/", import.meta.url);

/**
 * The folder of a package, unpacked; downloaded once. Null where it can't be had.
 *
 * @param version By default that of the pinned libraries.
 */
export async function npmPackage(name: string, version: string = RELEASE.package): Promise<string | null> {
  const folder = new URL(`${name.replace("/", "-")}-${version}/`, CACHE);
  if (existsSync(folder)) return decodeURIComponent(folder.pathname).replace(/\/$/, "");
  const registry = (Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org").replace(/\/$/, "");
  const response = await fetch(`${registry}/${name}/-/${name.split("/").at(-1)}-${version}.tgz`).catch(() => null);
  if (response === null || !response.ok) {
    await response?.body?.cancel();
    return null;
  }
  await Deno.mkdir(CACHE, { recursive: true });
  const work = await Deno.makeTempDir({ dir: decodeURIComponent(CACHE.pathname) });
  await Deno.writeFile(`${work}/package.tgz`, response.body!);
  const { success } = await new Deno.Command("tar", { args: ["-xzf", "package.tgz"], cwd: work, stdin: "null" }).output();
  if (success) await Deno.rename(`${work}/package`, folder).catch(() => {}); // another process may have been faster
  await Deno.remove(work, { recursive: true });
  return success ? decodeURIComponent(folder.pathname).replace(/\/$/, "") : null;
}
