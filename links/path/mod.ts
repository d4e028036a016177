/**
 * Stands in for `jsr:@std/path` where JSR can't be reached: the functions that this project uses, which Node's `path` has under the same
 * names. A user of the published package gets the real one.
 *
 * @module
 */

export { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
