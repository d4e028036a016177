/**
 * Has modules that are loaded together be one file each time.
 *
 * A bundler that splits code writes a file for each set of entry points that share something: thirty-three to import `lib` and the utilities. Each
 * takes Deno a tenth of a millisecond, and V8 a cache of its own.
 *
 * @module
 */

import { type GetModuleInfo, rollup } from "rollup";
import { isAbsolute, relative } from "@std/path";

/** The entry points that most programs import, by the names of the files that what is behind them goes into. */
const FIRST = { lib: "mod.js", utils: "utils/mod.js" };

/**
 * Writes modules anew.
 *
 * @param entries The paths of the entry points.
 * @param folder Where the entry points lie, and all that they import.
 * @param into Another folder: each entry point has the same place in it.
 * @throws {Error} If a module can't be read or imports what isn't there, or Rollup warns of anything else.
 */
export async function merge(entries: readonly string[], folder: string, into: string): Promise<void> {
  const nameOf = (path: string) => relative(folder, path).replaceAll("\\", "/");
  const bundle = await rollup({
    input: Object.fromEntries(entries.map((path) => [nameOf(path).replace(/\.js$/, ""), path])),
    external: (name) => !name.startsWith(".") && !isAbsolute(name), // packages
    preserveSymlinks: true, // as a temporary folder may lie behind one
    treeshake: false,
    onLog: (_level, { message }) => {
      throw new Error(`rollup: ${message}`);
    },
  });
  let groups: Map<string, string> | null = null;
  await bundle.write({
    dir: into,
    format: "es",
    generatedCode: "es2015",
    importAttributesKey: "with",
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    manualChunks: (id, { getModuleInfo, getModuleIds }) => {
      groups ??= groupsOf(new Map(Array.from(getModuleIds(), (id) => [nameOf(id), id])), getModuleInfo);
      return groups.get(id);
    },
  });
  await bundle.close();
}

/**
 * The file that each module goes into: one for what each of the first entry points needs at once, and `later` for what the utilities import when they
 * need it, which is little. The rest is left to the bundler.
 *
 * @param ids The modules by their names.
 */
function groupsOf(ids: ReadonlyMap<string, string>, getModuleInfo: GetModuleInfo): Map<string, string> {
  const groups = new Map<string, string>();
  const take = (group: string, id: string) => {
    const info = getModuleInfo(id);
    if (info === null || info.isExternal || groups.has(id)) return;
    groups.set(id, group);
    for (const imported of info.importedIds) take(group, imported);
  };
  for (const [group, name] of Object.entries(FIRST)) take(group, ids.get(name)!);
  for (const [id, group] of [...groups]) {
    if (group === "utils") { for (const later of getModuleInfo(id)!.dynamicallyImportedIds) take("later", later); }
  }
  return groups;
}
