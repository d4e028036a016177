/**
 * Texts that may be the beginning of a mark.
 *
 * @module
 */

/** How many characters at the end of a text may be the beginning of one of some marks, which isn't whole. */
export function endOf(text: string, marks: readonly string[]): number {
  let longest = 0;
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(mark.slice(0, length))) longest = length;
    }
  }
  return longest;
}
