/**
 * Text as it comes, token by token: whole characters, and up to a stop text.
 *
 * A token may end in the middle of a character's UTF-8, and in the middle of a stop text. What isn't certain yet is held back: the rest of a
 * character, and the longest end of the text that a stop text begins with.
 *
 * @module
 */

import { endOf } from "./partial.ts";

/** The text of one generation. */
export class TextStream {
  readonly #stops: readonly string[];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";
  #stopped = false;

  /** @param stops The stop texts, none of them empty. */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** True once a stop text came. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes the bytes of a token; gives the text that is certain now. */
  push(bytes: Uint8Array): string {
    const text = this.#held + this.#decoder.decode(bytes, { stream: true });
    const ends = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    this.#stopped = ends.length > 0;
    const certain = this.#stopped ? Math.min(...ends) : text.length - endOf(text, this.#stops);
    this.#held = this.#stopped ? "" : text.slice(certain);
    return text.slice(0, certain);
  }

  /** What is held back, where no more tokens come. A character that isn't whole is left out. */
  rest(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}
