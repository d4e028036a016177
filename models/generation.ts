/**
 * One generation: a prompt that is computed piece by piece, the tokens that follow, and who waits for them.
 *
 * It runs a few tokens ahead of who reads them, so that one slow reader doesn't hold up a batch.
 *
 * @module
 */

import type { lib } from "../ffi/generated/lib.js";
import type { Context } from "./context.ts";
import { type Likelihood, likelihoodOf } from "./probabilities.ts";
import type { Sampler } from "./sampling.ts";
import type { Sequence } from "./sequence.ts";
import { TextStream } from "./text.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A token, and the text that is certain with it. */
export interface Piece {
  /** Whole characters; "" where a token ends within one, or within what may become a stop text. */
  readonly text: string;
  /** The token. */
  readonly token: number;
  /** How likely it and others were, where `top` asks for that. */
  readonly likelihood?: Likelihood;
}

/** How a generation ended. */
export interface Ended {
  /** `"end"`: the model ended it; `"stop"`: a stop text came; `"length"`: there are as many tokens as were asked for, or the context holds. */
  readonly reason: "end" | "stop" | "length";
  /** How many tokens the prompt has. */
  readonly promptTokens: number;
  /** How many of them were in the cache and weren't computed again. */
  readonly cachedTokens: number;
  /** How many tokens were generated, the one that ended it among them. */
  readonly tokens: number;
}

/** What becomes of a context that is full: an error, the end of the text, or the oldest tokens dropped. */
export type Overflow = "error" | "stop" | "drop";

/** What a generation is made with. */
export interface GenerationParams {
  readonly where: string;
  readonly vocabulary: Vocabulary;
  readonly prompt: Int32Array;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly overflow: Overflow;
  /** How many of the first tokens are never dropped. */
  readonly keep: number;
  readonly sampler: Sampler;
  /** Of how many tokens is told how likely they were; undefined for none, not even of the one that came. */
  readonly top?: number;
}

/** How many tokens it may be ahead of its reader. */
const AHEAD = 8;

export class Generation {
  readonly params: GenerationParams;
  /** Where it is computed; null while it waits. */
  sequence: Sequence | null = null;
  /** Called where it may have become ready to be computed. */
  onChange: () => void = () => {};
  readonly #text: TextStream;
  /** What is to be computed next. */
  #pending: ArrayLike<number> = [];
  #offset = 0;
  #count = 0;
  #cached = 0;
  readonly #pieces: Piece[] = [];
  #ended: Ended | null = null;
  #failure: [unknown] | null = null;
  #wake: (() => void) | null = null;

  constructor(params: GenerationParams) {
    this.params = params;
    this.#text = new TextStream(params.stop);
  }

  /** True once nothing more is to be computed for it. */
  get over(): boolean {
    return this.#ended !== null || this.#failure !== null;
  }

  /** True if tokens can be computed for it now. */
  get ready(): boolean {
    return this.sequence !== null && !this.over && this.#pieces.length < AHEAD;
  }

  /** True while its prompt is computed. */
  get inPrompt(): boolean {
    return this.#count === 0;
  }

  /** Begins on a sequence: what that has of the prompt already isn't computed again, but for the last token, whose logits are wanted. */
  start(sequence: Sequence): void {
    const { prompt } = this.params;
    this.sequence = sequence;
    const same = Math.min(sequence.commonWith(prompt), prompt.length - 1);
    if (same < sequence.tokens.length) sequence.keep(same);
    this.#cached = sequence.tokens.length;
    this.#expect(prompt.subarray(this.#cached));
  }

  #expect(tokens: ArrayLike<number>): void {
    this.#pending = tokens;
    this.#offset = 0;
  }

  /** How many tokens are to be computed before the next one is chosen. */
  get wanted(): number {
    return this.#pending.length - this.#offset;
  }

  /**
   * Adds what is to be computed next to a context's batch.
   *
   * @param most The most tokens.
   * @param outputs Of how many of the last ones logits are computed.
   * @returns How many tokens, and the index of the one whose logits are wanted, -1 for none.
   */
  addTo(context: Context, most: number, outputs: number): { count: number; output: number } {
    const sequence = this.sequence!, rest = this.wanted, count = Math.min(rest, most);
    let output = -1;
    for (let i = 0; i < count; i++) {
      const index = context.add(this.#pending[this.#offset + i], sequence.tokens.length + i, sequence.id, i + outputs >= rest);
      if (i + 1 === rest) output = index;
    }
    return { count, output };
  }

  /** Notes that so many tokens were decoded. */
  advance(count: number): void {
    for (let i = 0; i < count; i++) this.sequence!.tokens.push(this.#pending[this.#offset + i]);
    this.#offset += count;
  }

  /** Goes back to what C's memory has for certain, because a batch wasn't decoded. */
  goBack(): void {
    const sequence = this.sequence!, before = sequence.tokens.slice();
    sequence.keep(before.length);
    if (sequence.tokens.length === before.length) return;
    this.#expect([...before, ...Array.from(this.#pending).slice(this.#offset)]);
  }

  /** Chooses the next token. */
  choose(ctx: lib.llama_context, index: number, size: number): void {
    const { sampler, vocabulary, maxTokens, top } = this.params;
    const token = sampler.sample(ctx, index);
    const more = top === undefined ? {} : { likelihood: likelihoodOf(ctx, index, vocabulary, token, top) };
    this.#count++;
    if (vocabulary.isEnd(token)) return this.#endWith("end", { token, ...more });
    const text = this.#text.push(vocabulary.bytesOf(token));
    if (this.#text.stopped) return this.#finish("stop", { token, text, ...more });
    const isLast = this.#count >= maxTokens;
    if (isLast || !this.#makeRoom(size)) return this.#finish("length", { token, text: text + this.#text.rest(), ...more });
    this.#expect([...this.#left, token]);
    this.#left = [];
    this.#give({ token, text, ...more });
  }

  /** Tokens that are to be computed again, because the model can't move what is behind a gap. */
  #left: number[] = [];

  /** Makes room for one more token. False if the text is to end here. */
  #makeRoom(size: number): boolean {
    const { overflow, where, keep } = this.params, { tokens } = this.sequence!;
    if (tokens.length < size) return true;
    if (overflow === "stop") return false;
    if (overflow === "error") throw new RangeError(`${where}: the context is full: it has room for ${size} tokens`);
    this.#left = this.sequence!.cut(keep, Math.max(1, Math.ceil((size - keep) / 2)));
    return true;
  }

  #endWith(reason: "end", end: Omit<Piece, "text">): void {
    const text = this.#text.rest();
    this.#finish(reason, text === "" ? null : { ...end, text });
  }

  #finish(reason: Ended["reason"], piece: Piece | null): void {
    this.#ended = {
      reason,
      promptTokens: this.params.prompt.length,
      cachedTokens: this.#cached,
      tokens: this.#count,
    };
    if (piece !== null) this.#pieces.push(piece);
    this.#settle();
  }

  #give(piece: Piece): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** Ends it with an error, unless it has ended. */
  fail(error: unknown): void {
    if (this.over) return;
    this.#failure = [error];
    this.#settle();
  }

  #settle(): void {
    this.params.sampler[Symbol.dispose]();
    this.#wake?.();
  }

  /** The next piece, or how it ended. */
  async next(): Promise<Piece | Ended> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure[0];
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        if (this.#pieces.length === AHEAD - 1) this.onChange();
        return piece;
      }
      if (this.#ended !== null) return this.#ended;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
  }
}
