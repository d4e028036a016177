/**
 * Which headers are bound: the ones that were named and what belongs to them, not the system's.
 *
 * Libraries lie about in the system's folders in three ways, and each has a rule:
 *
 * - in a folder of their own (`libxml2/libxml/`, `SDL2/`): what lies in the same folder or below it belongs to them. The folder is compared as
 *   it is spelled behind the standard folder, because Debian splits some in two (`/usr/include/openssl`, `/usr/include/x86_64-linux-gnu/openssl`).
 * - bare in a standard folder (`zlib.h` with `zconf.h`, `png.h` with `pngconf.h`): what they include in quotes from a standard folder belongs
 *   to them, since the system's own headers are included in angles (`git2.h`, which includes "git2/blob.h", too);
 * - and what begins with the header's own name (`ncurses.h`, `ncurses_dll.h`), however it is included.
 *
 * @module
 */

import type { Ownership } from "../../mod.ts";
import { directory } from "../../text/search.ts";
import type { Globs } from "./globs.ts";

/**
 * The rule for a set of named headers.
 *
 * @param headers Their paths.
 * @param standard The standard folders.
 * @param globs Instead of the rule: patterns of paths of further headers that are bound; null for the rule.
 */
export function ownershipOf(headers: readonly string[], standard: readonly string[], globs: Globs | null): Ownership {
  const own = new Set(headers);
  for (const path of headers) globs?.test(path);
  const roots = headers.map((path) => directory(relative(path, standard)));
  const stems = headers.map((path) => relative(path, standard).replace(/\.\w+$/, ""));
  return (path, includer, quoted) => {
    const matched = globs?.test(path) ?? false;
    if (own.has(path)) return true;
    const made = globs === null ? byRule(relative(path, standard), own.has(includer) && quoted) : matched;
    if (made) own.add(path);
    return made;
  };

  function byRule(path: string, quotedByOwn: boolean): boolean {
    if (path.startsWith("<")) return false; // a stand-in of ours
    const folder = directory(path);
    if (roots.some((root) => root !== "" && folder.startsWith(root))) return true;
    return roots.includes("") && (quotedByOwn || stems.some((stem) => path.startsWith(stem)));
  }
}

/** The path behind the standard folder that holds it, the longest one; else the path itself, as one that isn't in the current folder. */
function relative(path: string, standard: readonly string[]): string {
  for (let next = path.replace(/[^/.][^/]*\/\.\.\//, ""); next !== path;) [path, next] = [next, next.replace(/[^/.][^/]*\/\.\.\//, "")];
  let best = "";
  for (const folder of standard) if (path.startsWith(`${folder}/`) && folder.length > best.length) best = folder;
  if (best !== "") return path.slice(best.length + 1);
  return path.startsWith("/") || path.startsWith("<") || path.startsWith(".") ? path : `./${path}`;
}
