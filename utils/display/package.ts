/**
 * Packages that only pictures need. They are named where nothing looks for imports in advance: who never draws doesn't download them, and
 * starts a millisecond earlier.
 *
 * @module
 */

/**
 * Loads a package of npm's, downloading it if need be.
 *
 * @param name With its exact version.
 * @param purpose What it does, for errors: "graphs are laid out".
 * @throws {Error} If it can't be had.
 */
export async function load<T>(name: string, purpose: string): Promise<T> {
  try {
    return await import(`npm:/${name}`);
  } catch (cause) {
    throw new Error(`${purpose} by npm:${name}, which can't be loaded: ${(cause as Error).message}`, { cause });
  }
}
