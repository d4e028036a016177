/**
 * Where a grammar begins to hold that doesn't from the beginning on: behind free text, with a mark such as `<tool_call>`.
 *
 * C has samplers that begin so, by regular expressions over all text so far; this looks at each token once, and not at what the model thinks.
 *
 * @module
 */

import { ReasoningSplitter } from "./reasoning.ts";

/** A text has come to the mark. */
export interface Reached {
  /** The tokens that the mark lies in. */
  readonly tokens: readonly number[];
  /** What the first of them has before it. */
  readonly before: string;
}

/** Looks for a mark in the tokens of a text. */
export class Onset {
  readonly #mark: string;
  readonly #thoughts: ReasoningSplitter;
  /** The last tokens, as many as the mark may begin in, with a character for each byte. */
  #last: { readonly token: number; readonly bytes: string }[] = [];

  /** @param thinking True if the model is thinking already. */
  constructor(mark: string, thinking: boolean) {
    this.#mark = latin(new TextEncoder().encode(mark));
    this.#thoughts = new ReasoningSplitter({ inside: thinking });
  }

  /** Takes a token; gives where the mark is once it came. */
  push(token: number, piece: Uint8Array): Reached | null {
    const bytes = latin(piece);
    this.#thoughts.push(bytes);
    if (this.#thoughts.thinking) {
      this.#last = [];
      return null;
    }
    this.#last.push({ token, bytes });
    const text = this.#last.map(({ bytes }) => bytes).join(""), at = text.indexOf(this.#mark);
    if (at >= 0) return this.#reached(at);
    for (let { length } = text; this.#last.length > 0 && length - this.#last[0].bytes.length >= this.#mark.length - 1;) {
      length -= this.#last.shift()!.bytes.length;
    }
    return null;
  }

  /** The mark begins at that byte of the last tokens. */
  #reached(at: number): Reached {
    const last = this.#last;
    this.#last = [];
    while (last[0].bytes.length <= at) at -= last.shift()!.bytes.length;
    const before = Uint8Array.from(last[0].bytes.slice(0, at), (byte) => byte.charCodeAt(0));
    return { tokens: last.map(({ token }) => token), before: new TextDecoder().decode(before) };
  }
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
