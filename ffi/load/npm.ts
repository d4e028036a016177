/**
 * The prebuilt libraries, which are npm packages `@node-llama-cpp/<platform>` of the pinned release: where Deno has one, and having it
 * downloaded.
 *
 * There is no permission for that, and none is needed: it is Deno that downloads what a program imports. Each specifier is a template that
 * no tool can read ahead, so only the package of the platform in use is ever downloaded.
 *
 * An import is the only way to download, and it takes an `await`: a worker that imports while this thread waits for it in a synchronous call
 * deadlocks, since Deno's connections to the registry are driven by the thread that opened them.
 *
 * @module
 */

import { fileNames, type Missing, packageFolder, type Place, platformPackage, RELEASE } from "./find.ts";

const { resolve } = import.meta;
const source = "npm";

/** The specifier of a platform's package. */
export function specifierOf(platform: string): string {
  return `npm:@node-llama-cpp/${platform}@${RELEASE.package}`;
}

/** The folder of the default package, downloaded if need be, or why there is none. Never throws: the first call does. */
export async function findPackage(): Promise<Place | Missing> {
  const platform = platformPackage(null);
  if (platform === null) return { source, reason: `there is no prebuilt library for ${Deno.build.os} on ${Deno.build.arch}` };
  return await fetchPackage(platform);
}

/** The folder of a package, downloaded if need be, or why there is none. */
export async function fetchPackage(platform: string): Promise<Place | Missing> {
  const known = resolved(platform);
  if (known !== null) return known;
  // An import is what downloads the package. Of its code nothing is of interest here, and to run any would start Deno's Node compatibility, which
  // takes 25 ms: a JSON file does not. That the package doesn't export this one, Deno finds out when the package is there.
  const asked = import(`npm:@node-llama-cpp/${platform}@${RELEASE.package}/package.json`, { with: { type: "json" } });
  const reason = await asked.then(() => "", (error: Error) => error.message);
  return resolved(platform) ?? { source, reason: `${specifierOf(platform)}: ${reason || "it has no such files"}` };
}

/** The place of a package that is there already; null if there is none. */
export function installedPackage(platform: string): Place | null {
  return resolved(platform) ?? besideDefault(platform);
}

/** The place of a package that this program imported, or that its lock file or `node_modules` has; null if it is another. */
function resolved(platform: string): Place | null {
  try {
    const url = resolve(specifierOf(platform));
    return isInstalled(url) ? { source, path: packageFolder(url, platform) } : null;
  } catch {
    return null; // the import says better what is wrong
  }
}

/**
 * The place of a package in the cache that holds the default one. Deno tells nothing of what this program hasn't imported, and its folders may
 * not be read, but a library that is there can be opened.
 */
function besideDefault(platform: string): Place | null {
  const usual = platformPackage(null)!;
  const known = resolved(usual);
  if (known === null || platform === usual) return null;
  const path = known.path.replaceAll(new RegExp(`(?<=@node-llama-cpp[/+\\\\]|bins[/\\\\])${usual}(?=[/@\\\\])`, "g"), platform);
  return opens(path + fileNames("ggml-base")[0]) ? { source, path } : null;
}

/** True for a library that can be opened. It is closed again: if another one is loaded then, that must not get its parts. */
function opens(path: string): boolean {
  try {
    Deno.dlopen(path, {}).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/**
 * True if the URL of a package comes from the package itself, whose `exports` name `dist/index.js`. Where only a lock file tells of the package,
 * Deno guesses. Opening a file would tell too, but a library once opened stays: another one that `load` names would get its parts.
 */
function isInstalled(url: string): boolean {
  return url.startsWith("file:") && url.endsWith("/dist/index.js");
}
