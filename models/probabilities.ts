/**
 * How likely the tokens were, as the model says, before anything was done to choose one.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import type { Vocabulary } from "./vocabulary.ts";

/** A token that might have come. */
export interface Candidate {
  /** The token. */
  readonly token: number;
  /** What it stands for; bytes that are no whole character are U+FFFD. */
  readonly text: string;
  /** From 0 to 1: the softmax of the logits. */
  readonly probability: number;
}

/** What is told with a token. */
export interface Likelihood {
  /** How likely the token was that came. */
  readonly probability: number;
  /** The likeliest tokens, the likeliest first. */
  readonly top: readonly Candidate[];
}

/** How likely a token, and the likeliest ones, were at an index of the batch. */
export function likelihoodOf(ctx: lib.llama_context, index: number, vocabulary: Vocabulary, token: number, count: number): Likelihood {
  const { size } = vocabulary, bytes = lib.llama_get_logits_ith(ctx, index)!.bytes(4 * size);
  const logits = new Float32Array(bytes.buffer, bytes.byteOffset, size), best = largest(logits, count);
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  const probability = (token: number) => Math.exp(logits[token] - most) / sum, decoder = new TextDecoder();
  const top = best.map((token) => ({
    token,
    text: decoder.decode(vocabulary.bytesOf(token, true)),
    probability: probability(token),
  }));
  return { probability: probability(token), top };
}

/** The indices of the largest numbers, the largest first. */
function largest(numbers: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === count && numbers[i] <= numbers[best[count - 1]]) continue;
    let at = best.length;
    while (at > 0 && numbers[best[at - 1]] < numbers[i]) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
