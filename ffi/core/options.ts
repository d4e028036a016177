/**
 * Options by name: a misspelled one is an error, where nothing else looks. Notebooks check no types.
 *
 * @module
 */

/**
 * Throws unless all options are known.
 *
 * @param where The function, for the error.
 * @param options What the caller gave, an object.
 * @param known The names that there are.
 * @throws {TypeError} If one is none of them.
 */
export function expectKnown(where: string, options: object, known: readonly string[]): void {
  for (const option in options) {
    if (!known.includes(option)) throw new TypeError(`${where}: there is no option ${option}; there are ${known.join(", ")}`);
  }
}
