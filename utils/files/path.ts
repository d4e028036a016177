/**
 * Paths of files that a caller names, and errors that say what was to be done with them.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";

/**
 * A path as the system takes it.
 *
 * @param where The function, for the error.
 * @throws {TypeError} If it is no path, and no `file:` URL.
 */
export function pathOf(path: string | URL, where: string): string {
  if (typeof path === "string") return path;
  if (!(path instanceof URL)) throw new TypeError(`${where}: expected a path, got ${describe(path)}`);
  if (path.protocol !== "file:") throw new TypeError(`${where}: expected a path or a file: URL, got ${path.href}`);
  try {
    const name = decodeURIComponent(path.pathname);
    return Deno.build.os === "windows" ? name.slice(1) : name;
  } catch (cause) {
    throw new TypeError(`${where}: expected a URL whose escapes are UTF-8, got ${path.href}`, { cause });
  }
}

/** An error of the same class that says what was being done. */
export function inContext(error: unknown, context: string): Error {
  const { message, constructor } = error as Error;
  const hint = error instanceof Deno.errors.NotCapable ? `${context}: permission is missing: ${message}` : `${context}: ${message}`;
  return new (constructor as ErrorConstructor)(hint, { cause: error });
}

/** What `act` throws with a text before it that says where it happened, and otherwise the same. */
export function named<T>(context: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw inContext(error, context);
  }
}
