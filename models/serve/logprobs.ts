/**
 * How likely tokens were, as OpenAI's API says it.
 *
 * @module
 */

import type { Piece } from "../generation.ts";
import type { Model } from "../model.ts";

/** A token, its bytes, and the logarithm of its probability. */
interface Logprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** OpenAI's for what has no probability at all, of which the logarithm is no number. */
const NEVER = -9999;

/** What chat completions have of a piece; null if it wasn't asked for. */
export function chatLogprob({ vocabulary }: Model, { token, likelihood }: Piece): (Logprob & { top_logprobs: readonly Logprob[] }) | null {
  if (likelihood === undefined) return null;
  const one = (token: number, probability: number): Logprob => {
    const bytes = vocabulary.bytesOf(token, true).slice();
    return { token: new TextDecoder().decode(bytes), logprob: logOf(probability), bytes: [...bytes] };
  };
  return {
    ...one(token, likelihood.probability),
    top_logprobs: likelihood.top.map(({ token, probability }) => one(token, probability)),
  };
}

function logOf(probability: number): number {
  return Math.max(NEVER, Math.log(probability));
}

/** What completions have of all pieces. */
export class TextLogprobs {
  readonly tokens: string[] = [];
  readonly token_logprobs: number[] = [];
  readonly top_logprobs: Record<string, number>[] = [];
  readonly text_offset: number[] = [];
  /** How long the text is before the next token. */
  #length: number;

  constructor(length: number = 0) {
    this.#length = length;
  }

  /** Adds a piece; nothing if its probability isn't known. */
  add({ vocabulary }: Model, { token, text, likelihood }: Piece): void {
    if (likelihood !== undefined) {
      this.tokens.push(new TextDecoder().decode(vocabulary.bytesOf(token, true)));
      this.token_logprobs.push(logOf(likelihood.probability));
      this.top_logprobs.push(Object.fromEntries(likelihood.top.map(({ text, probability }) => [text, logOf(probability)])));
      this.text_offset.push(this.#length);
    }
    this.#length += text.length;
  }
}
