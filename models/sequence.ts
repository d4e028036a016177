/**
 * One sequence of a context: the tokens of which C keeps keys and values.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import type { Context } from "./context.ts";

export class Sequence {
  readonly id: number;
  /** The tokens in C's memory, from position 0 on. */
  tokens: number[] = [];
  readonly #context: Context;

  constructor(id: number, context: Context) {
    this.id = id;
    this.#context = context;
  }

  /** How many tokens of a prompt are there already. */
  commonWith(prompt: ArrayLike<number>): number {
    const { tokens } = this, most = Math.min(tokens.length, prompt.length);
    let same = 0;
    while (same < most && tokens[same] === prompt[same]) same++;
    return same;
  }

  /** Forgets all but the first so many tokens, or all where the model can't forget a part. */
  keep(count: number): void {
    const { memory } = this.#context;
    if (lib.llama_memory_seq_rm(memory, this.id, count, -1)) this.tokens.length = count;
    else this.clear();
  }

  /** Forgets all. */
  clear(): void {
    lib.llama_memory_seq_rm(this.#context.memory, this.id, -1, -1);
    this.tokens.length = 0;
  }

  /**
   * Forgets some tokens in the middle; those behind move up.
   *
   * @returns Which are left, if the model can't do that: then all are forgotten.
   */
  cut(from: number, count: number): number[] {
    const { memory } = this.#context;
    const left = this.tokens.toSpliced(from, count);
    if (lib.llama_memory_can_shift(memory) && lib.llama_memory_seq_rm(memory, this.id, from, from + count)) {
      lib.llama_memory_seq_add(memory, this.id, from + count, -1, -count);
      this.tokens = left;
      return [];
    }
    this.clear();
    return left;
  }
}
