/**
 * A model's vocabulary: text to tokens and back.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { onBehalf, renamed } from "../ffi/core/on_behalf.ts";
import { lib } from "../ffi/generated/lib.js";
import { expectBoolean } from "./expect.ts";

const encoder = new TextEncoder();

/** What {@linkcode Vocabulary.tokenize} takes besides the text. */
export interface TokenizeOptions {
  /** True to add what the model wants at the beginning and at the end (BOS, EOS), as its file says; the default. */
  special?: boolean;
  /** True to read the names of control tokens, such as `<|im_start|>`, as these; false by default, which takes them for text. */
  parseSpecial?: boolean;
}

/** The tokens that mean something to the model; null for what it doesn't have. */
export interface SpecialTokens {
  /** Begins a text. */
  readonly bos: number | null;
  /** Ends a text. */
  readonly eos: number | null;
  /** Ends a turn. */
  readonly eot: number | null;
  /** Separates sentences. */
  readonly sep: number | null;
  /** Fills up. */
  readonly pad: number | null;
}

/** The vocabulary of a model that lives. */
export class Vocabulary {
  readonly handle: lib.llama_vocab;
  readonly special: SpecialTokens;
  readonly size: number;
  #buffer = new Int8Array(256);

  constructor(handle: lib.llama_vocab) {
    this.handle = handle;
    this.size = lib.llama_vocab_n_tokens(handle);
    const known = (token: number) => token < 0 ? null : token;
    this.special = {
      bos: known(lib.llama_vocab_bos(handle)),
      eos: known(lib.llama_vocab_eos(handle)),
      eot: known(lib.llama_vocab_eot(handle)),
      sep: known(lib.llama_vocab_sep(handle)),
      pad: known(lib.llama_vocab_pad(handle)),
    };
  }

  /** False for a model without one, whose tokens stand for no text. */
  get hasText(): boolean {
    return lib.llama_vocab_type(this.handle) !== lib.LLAMA_VOCAB_TYPE_NONE;
  }

  /** @param where What the caller called, for errors. */
  tokenize(text: string, options: TokenizeOptions = {}, where = "tokenize"): Int32Array<ArrayBuffer> {
    const { special, parseSpecial, length } = this.#expectText(text, options, where);
    const ask = (ids: Int32Array<ArrayBuffer>) =>
      onBehalf(where, lib.llama_tokenize, this.handle, text, length, ids, ids.length, special, parseSpecial);
    const ids = new Int32Array(length + 2), count = ask(ids);
    if (count >= 0) return ids.slice(0, count);
    const more = new Int32Array(-count);
    return more.slice(0, ask(more));
  }

  /** {@linkcode Vocabulary.tokenize} on another thread. Neither the vocabulary nor its model can be freed until that is done. */
  async tokenizeAside(text: string, options: TokenizeOptions, where: string): Promise<Int32Array<ArrayBuffer>> {
    const { special, parseSpecial, length } = this.#expectText(text, options, where);
    const ask = async (ids: Int32Array<ArrayBuffer>) => {
      try {
        return await lib.async.llama_tokenize(this.handle, text, length, ids, ids.length, special, parseSpecial);
      } catch (error) {
        throw renamed(error, "llama_tokenize", where);
      }
    };
    const ids = new Int32Array(length + 2), count = await ask(ids);
    if (count >= 0) return ids.slice(0, count);
    const more = new Int32Array(-count);
    return more.slice(0, await ask(more));
  }

  #expectText(text: string, { special = true, parseSpecial = false }: TokenizeOptions, where: string) {
    if (typeof text !== "string") throw new TypeError(`${where}: expected a text, got ${describe(text)}`);
    expectBoolean(`${where}: special`, special);
    expectBoolean(`${where}: parseSpecial`, parseSpecial);
    if (!this.hasText) throw new Error(`${where}: this model has no vocabulary`);
    return { special, parseSpecial, length: encoder.encode(text).length };
  }

  detokenize(tokens: ArrayLike<number>, { special = false }: { special?: boolean } = {}): string {
    const ids = this.expectTokens("detokenize", tokens);
    expectBoolean("detokenize: special", special);
    if (ids.length === 0) return "";
    const ask = (bytes: Int8Array<ArrayBuffer>) => lib.llama_detokenize(this.handle, ids, ids.length, bytes, bytes.length, false, special);
    let bytes = new Int8Array(16 * ids.length + 64), count = ask(bytes);
    if (count < 0) count = ask(bytes = new Int8Array(-count));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, count));
  }

  /** The bytes that a token stands for, valid until the next call; none for a control token unless `special`. */
  bytesOf(token: number, special: boolean = false): Uint8Array {
    const ask = () => lib.llama_token_to_piece(this.handle, token, this.#buffer, this.#buffer.length, 0, special);
    let count = ask();
    if (count < 0) {
      this.#buffer = new Int8Array(-count);
      count = ask();
    }
    return new Uint8Array(this.#buffer.buffer, 0, count);
  }

  /** The text of a control token, as templates have it; "" for none. */
  textOf(token: number | null): string {
    return token === null ? "" : lib.llama_vocab_get_text(this.handle, token);
  }

  /** True for a token that ends what a model says. */
  isEnd(token: number): boolean {
    return lib.llama_vocab_is_eog(this.handle, token);
  }

  #silent: Uint8Array | null = null;

  /**
   * 1 for each token that has a name but no text, and ends nothing: control tokens, and the unknown one. C's grammars take the name for the
   * text, so that `<s>` is three characters of a string which nobody sees.
   */
  get silent(): Uint8Array {
    if (this.#silent !== null) return this.#silent;
    const mask = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN;
    const isSilent = (token: number) => (lib.llama_vocab_get_attr(this.handle, token) & mask) !== 0 && !this.isEnd(token);
    return this.#silent = Uint8Array.from({ length: this.size }, (_, token) => Number(isSilent(token)));
  }

  /** The tokens, if they are some of this vocabulary. `expected` says what else could have been given. */
  expectTokens(where: string, tokens: ArrayLike<number>, expected = "tokens"): Int32Array<ArrayBuffer> {
    if (typeof tokens !== "object" || tokens === null || typeof tokens.length !== "number") {
      throw new TypeError(`${where}: expected ${expected}, got ${describe(tokens)}`);
    }
    const ids = new Int32Array(tokens.length);
    for (let i = 0; i < ids.length; i++) {
      const token = tokens[i];
      if (!Number.isInteger(token) || token < 0 || token >= this.size) {
        throw new RangeError(`${where}: expected tokens from 0 to ${this.size - 1}, got ${describe(token)} at index ${i}`);
      }
      ids[i] = token;
    }
    return ids;
  }
}
