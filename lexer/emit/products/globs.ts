/**
 * Globs of the command line. One that nothing matches is a slip of the pen, which is told.
 *
 * @module
 */

/** Globs, and which of them something has matched. */
export class Globs {
  readonly #patterns: readonly (readonly [glob: string, pattern: RegExp])[];
  readonly #matched = new Set<string>();

  constructor(globs: readonly string[]) {
    this.#patterns = globs.map((glob) => [glob, globToRegExp(glob)]);
  }

  /** True if one of them matches. */
  test(text: string): boolean {
    const found = this.#patterns.filter(([, pattern]) => pattern.test(text));
    for (const [glob] of found) this.#matched.add(glob);
    return found.length > 0;
  }

  /** The globs that have matched nothing. */
  unmatched(): string[] {
    return this.#patterns.map(([glob]) => glob).filter((glob) => !this.#matched.has(glob));
  }
}

/** A glob over a whole text: `*` is any text, slashes too, `?` one character. */
function globToRegExp(glob: string): RegExp {
  return new RegExp(`^${glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
