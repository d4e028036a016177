/**
 * Packages that only pictures need. They are named where nothing looks for imports in advance: who never draws doesn't download them, and
 * starts a millisecond earlier.
 *
 * @module
 */

/**
 * Loads a package of npm's, downloading it if need be.
 *
 * @param specifier With its exact version.
 * @param purpose What it does, for errors: "graphs are laid out".
 * @throws {Error} If it can't be had.
 */
export async function load<T>(specifier: string, purpose: string): Promise<T> {
  try {
    return await import(specifier);
  } catch (cause) {
    throw new Error(`${purpose} by ${specifier}, which can't be loaded: ${(cause as Error).message}`, { cause });
  }
}
