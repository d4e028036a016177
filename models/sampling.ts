/**
 * Which token comes next: libllama's samplers, one after the other.
 *
 * A grammar is asked last, and only of the token that was chosen; of all tokens only where it refuses that one. To ask it of a whole
 * vocabulary takes longer than a small model takes to compute.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { addressOf } from "../ffi/core/handle.ts";

import { lib } from "../ffi/generated/lib.js";
import { expectNumber, expectOptions, expectText, expectWhole } from "./expect.ts";
import { grammarSampler } from "./grammar.ts";
import { Onset } from "./onset.ts";
import { beginsThinking } from "./reasoning.ts";
import { grammarOfSchema, type Schema } from "./schema/mod.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** How tokens are chosen. */
export interface SamplingOptions {
  /** How much chance there is; 0 for the likeliest token each time. 0.8 by default. */
  temperature?: number;
  /** Of the likeliest so many; 0 for all. 40 by default. */
  topK?: number;
  /** Of the likeliest that have this probability together; 1 for all. 0.95 by default. */
  topP?: number;
  /** Of those that are at least so probable as this part of the likeliest one's probability; 0 for all. 0.05 by default. */
  minP?: number;
  /** Against repetitions; none by default. */
  penalties?: Penalties;
  /** Where chance begins: the same seed and prompt give the same text. By default another each time. */
  seed?: number;
  /** What is added to the logits of some tokens, by their ids; -Infinity for never. */
  logitBias?: Readonly<Record<number, number>> | ReadonlyMap<number, number>;
  /** A grammar in GBNF, with a rule `root`, that the text follows. */
  grammar?: string;
  /**
   * Where the grammar begins to hold: at the first such text, which the grammar has to begin with. What comes before it is free, and so is what the model
   * thinks between `<think>` and `</think>`. Where the rest of the token that the text ends in doesn't fit the grammar, it is free until the next one.
   * By default it holds from the beginning.
   */
  grammarFrom?: string;
  /** A JSON schema that the text is JSON of; see {@linkcode grammarOfSchema}. It may not be given together with `grammar`. */
  schema?: Schema;
}

/** What tokens that came before are made less likely by. */
export interface Penalties {
  /** How many of the last tokens count: 64 by default, -1 for all of the context. */
  last?: number;
  /** What logits are divided by of tokens that came; 1 for nothing. */
  repeat?: number;
  /** What is taken from logits for each time that a token came. */
  frequency?: number;
  /** What is taken from logits of tokens that came at all. */
  presence?: number;
}

/** The names of the options, for the check of those that don't exist. */
export const SAMPLING_OPTIONS: readonly string[] = [
  ...["temperature", "topK", "topP", "minP", "penalties", "seed", "logitBias", "grammar", "grammarFrom", "schema"],
];

/** Throws unless the options are in order. */
export function expectSampling(where: string, options: SamplingOptions): void {
  const { temperature = 0, topK = 0, topP = 1, minP = 0, seed = 0, penalties = {}, grammar = "root" } = options;
  expectNumber(`${where}: temperature`, temperature, 0);
  expectWhole(`${where}: topK`, topK, 0, INT_MAX);
  expectNumber(`${where}: topP`, topP, 0, 1);
  expectNumber(`${where}: minP`, minP, 0, 1);
  expectWhole(`${where}: seed`, seed, 0, UINT_MAX);
  expectOptions(`${where}: penalties`, penalties, ["last", "repeat", "frequency", "presence"]);
  const { last = 0, repeat = 1, frequency = 0, presence = 0 } = penalties;
  expectWhole(`${where}: penalties.last`, last, -1, 2 ** 24);
  expectNumber(`${where}: penalties.repeat`, repeat, 0);
  if (repeat === 0) throw new RangeError(`${where}: penalties.repeat: expected more than 0, by which logits are divided, got 0`);
  expectNumber(`${where}: penalties.frequency`, frequency);
  expectNumber(`${where}: penalties.presence`, presence);
  if (typeof grammar !== "string" || grammar.trim() === "") {
    throw new TypeError(`${where}: grammar must be a text in GBNF, got ${describe(grammar)}`);
  }
  if (options.grammarFrom !== undefined) expectText(`${where}: grammarFrom`, options.grammarFrom);
  if (options.grammarFrom !== undefined && options.grammar === undefined) throw new TypeError(`${where}: grammarFrom needs a grammar`);
  if (options.grammar !== undefined && options.schema !== undefined) throw new TypeError(`${where}: give grammar or schema, not both`);
}

const INT_MAX = 2 ** 31 - 1, UINT_MAX = 2 ** 32 - 1;

/** Chooses the tokens of one generation. */
export class Sampler implements Disposable {
  readonly #where: string;
  readonly #chain: lib.llama_sampler;
  readonly #vocabulary: Vocabulary;
  #grammar: lib.llama_sampler | null;
  /** Where the grammar begins to hold, and which it is; null where that isn't to come. */
  #later: { readonly onset: Onset; readonly grammar: string } | null = null;
  readonly #candidates: Candidates | null;

  /**
   * @param where Who asks, for errors.
   * @param prompt The tokens before the first, which penalties count.
   */
  constructor(where: string, vocabulary: Vocabulary, options: SamplingOptions, prompt: Int32Array, contextSize: number) {
    this.#where = where;
    const { schema, grammar = schema === undefined ? undefined : grammarOfSchema(schema) } = options;
    this.#vocabulary = vocabulary;
    this.#grammar = grammar === undefined ? null : grammarSampler(where, vocabulary, grammar);
    this.#candidates = this.#grammar === null ? null : new Candidates(vocabulary);
    if (options.grammarFrom !== undefined) {
      this.#expectBeginning(options.grammarFrom);
      this.#endGrammar();
      this.#later = { onset: new Onset(options.grammarFrom, beginsThinking(vocabulary, prompt)), grammar: grammar! };
    }
    this.#chain = chainOf(where, vocabulary, options, contextSize);
    if (options.penalties !== undefined) { for (const token of prompt) lib.llama_sampler_accept(this.#chain, token); }
  }

  /**
   * Chooses a token.
   *
   * @param index The index in the batch of the token whose logits these are.
   */
  sample(ctx: lib.llama_context, index: number): number {
    if (this.#grammar !== null) return this.#sampleByGrammar(ctx, index, this.#grammar);
    const token = lib.llama_sampler_sample(this.#chain, ctx, index);
    if (this.#later !== null) this.#awaitGrammar(token, this.#later.onset, this.#later.grammar);
    return token;
  }

  /** Throws if the grammar can't begin with a text: it would never hold. Where a vocabulary adds to the text, that isn't known. */
  #expectBeginning(mark: string): void {
    const tokens = this.#vocabulary.tokenize(mark, { special: false }, `${this.#where}: grammarFrom`), grammar = this.#grammar!;
    const length = tokens.reduce((sum, token) => sum + this.#vocabulary.bytesOf(token).length, 0);
    if (length !== new TextEncoder().encode(mark).length) return;
    for (const token of tokens) {
      if (!this.#candidates!.isAllowed(grammar, token)) {
        throw new TypeError(`${this.#where}: the grammar has to begin with grammarFrom, which is ${JSON.stringify(mark)}`);
      }
      lib.llama_sampler_accept(grammar, token);
    }
  }

  /** Lets the grammar begin if its text has come, and what came with it fits. */
  #awaitGrammar(token: number, onset: Onset, grammar: string): void {
    const reached = onset.push(token, this.#vocabulary.bytesOf(token));
    if (reached === null) return;
    const sampler = this.#grammar = grammarSampler(this.#where, this.#vocabulary, grammar, reached.before);
    for (const each of reached.tokens) {
      if (!this.#candidates!.isAllowed(sampler, each)) return this.#endGrammar();
      lib.llama_sampler_accept(sampler, each);
    }
    this.#later = null;
  }

  #endGrammar(): void {
    this.#grammar?.[Symbol.dispose]();
    this.#grammar = null;
  }

  #sampleByGrammar(ctx: lib.llama_context, index: number, grammar: lib.llama_sampler): number {
    const candidates = this.#candidates!;
    candidates.fill(ctx, index);
    let token = candidates.choose(this.#chain);
    if (!candidates.isAllowed(grammar, token)) {
      candidates.fill(ctx, index);
      if (!candidates.restrict(grammar)) throw new Error(`${this.#where}: the grammar allows no token of this vocabulary here`);
      token = candidates.choose(this.#chain);
    }
    lib.llama_sampler_accept(grammar, token);
    lib.llama_sampler_accept(this.#chain, token);
    return token;
  }

  [Symbol.dispose](): void {
    this.#chain[Symbol.dispose]();
    this.#endGrammar();
  }
}

/** The samplers but the grammar, in the order in which llama.cpp's own programs have them. */
function chainOf(where: string, vocabulary: Vocabulary, options: SamplingOptions, contextSize: number): lib.llama_sampler {
  const { temperature = 0.8, topK = 40, topP = 0.95, minP = 0.05, penalties, logitBias } = options;
  const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
  const add = (sampler: lib.llama_sampler) => lib.llama_sampler_chain_add(chain, sampler);
  if (logitBias !== undefined) add(biasSampler(where, vocabulary, logitBias));
  if (penalties !== undefined) {
    const { last = 64, repeat = 1, frequency = 0, presence = 0 } = penalties;
    const init = lib.llama_sampler_init_penalties as unknown as (...args: number[]) => lib.llama_sampler;
    const args = [last === -1 ? contextSize : last, repeat, frequency, presence];
    add(init.length === args.length ? init(...args) : init(vocabulary.size, ...args)); // older releases take no number of tokens
  }
  if (temperature === 0) {
    add(lib.llama_sampler_init_greedy());
    return chain;
  }
  if (topK > 0) add(lib.llama_sampler_init_top_k(topK));
  if (topP < 1) add(lib.llama_sampler_init_top_p(topP, 1));
  if (minP > 0) add(lib.llama_sampler_init_min_p(minP, 1));
  add(lib.llama_sampler_init_temp(temperature));
  const [random] = crypto.getRandomValues(new Uint32Array(1)), { seed = random } = options;
  add(lib.llama_sampler_init_dist(seed === lib.LLAMA_DEFAULT_SEED ? 0 : seed)); // C takes that one, the last, for a wish to have any
  return chain;
}

function biasSampler(where: string, vocabulary: Vocabulary, bias: NonNullable<SamplingOptions["logitBias"]>): lib.llama_sampler {
  if (typeof bias !== "object" || bias === null) {
    throw new TypeError(`${where}: logitBias must be an object or a Map from tokens to numbers, got ${describe(bias)}`);
  }
  const pairs = bias instanceof Map ? [...bias] : Object.entries(bias).map(([token, value]) => [tokenOf(token), value] as const);
  vocabulary.expectTokens(`${where}: logitBias`, pairs.map(([token]) => token));
  if (new Set(pairs.flatMap(([token, value]) => value === -Infinity ? [token] : [])).size === vocabulary.size) {
    throw new RangeError(`${where}: logitBias: it forbids all ${vocabulary.size} tokens`);
  }
  const entries = pairs.map(([token, value]) => {
    if (value !== -Infinity) expectNumber(`${where}: logitBias[${token}]`, value);
    return new lib.llama_logit_bias({ token, bias: value });
  });
  return lib.llama_sampler_init_logit_bias(vocabulary.size, entries.length, entries);
}

/** The token that a key names; what is no number stays as it is, for the error. */
function tokenOf(key: string): number {
  return /^\d+$/.test(key) ? Number(key) : key as never;
}

/** All tokens with their logits, as samplers take them. */
class Candidates {
  readonly #numbers: Float32Array<ArrayBuffer>;
  readonly #ids: Int32Array<ArrayBuffer>;
  readonly #array: lib.llama_token_data_array;
  readonly #one = new lib.llama_token_data();
  readonly #alone: lib.llama_token_data_array;
  readonly #size: number;
  readonly #silent: Uint8Array;

  constructor({ size, silent }: Vocabulary) {
    this.#size = size;
    this.#silent = silent;
    const bytes = new Uint8Array(size * lib.llama_token_data.size), { buffer } = bytes;
    this.#numbers = new Float32Array(buffer);
    this.#ids = new Int32Array(buffer);
    this.#array = new lib.llama_token_data_array({ data: lib.llama_token_data.from(addressOf(bytes)) });
    this.#alone = new lib.llama_token_data_array({ data: this.#one, size: 1 });
  }

  /** Takes the logits of a token in the batch. */
  fill(ctx: lib.llama_context, index: number): void {
    const bytes = lib.llama_get_logits_ith(ctx, index)!.bytes(4 * this.#size);
    const logits = new Float32Array(bytes.buffer, bytes.byteOffset, this.#size), numbers = this.#numbers, ids = this.#ids;
    for (let i = 0, at = 0; i < logits.length; i++, at += 3) { // struct llama_token_data: id, logit, p
      ids[at] = i;
      numbers[at + 1] = logits[i];
      numbers[at + 2] = 0;
    }
    this.#array.size = this.#size;
    this.#array.selected = -1;
    this.#array.sorted = false;
  }

  /** Has samplers choose one. */
  choose(chain: lib.llama_sampler): number {
    lib.llama_sampler_apply(chain, this.#array);
    return this.#ids[3 * this.#array.selected];
  }

  /** True if a grammar allows a token. */
  isAllowed(grammar: lib.llama_sampler, token: number): boolean {
    if (this.#silent[token] === 1) return false;
    this.#one.id = token;
    this.#one.logit = 1;
    this.#alone.selected = -1;
    lib.llama_sampler_apply(grammar, this.#alone);
    return this.#one.logit !== -Infinity;
  }

  /** Leaves the tokens that a grammar allows. False if there is none. */
  restrict(grammar: lib.llama_sampler): boolean {
    lib.llama_sampler_apply(grammar, this.#array);
    const { size } = this.#array;
    let left = 0;
    for (let i = 0; i < size; i++) {
      if (this.#silent[this.#ids[3 * i]] === 1) this.#numbers[3 * i + 1] = -Infinity;
      else if (this.#numbers[3 * i + 1] !== -Infinity) left++;
    }
    return left > 0;
  }
}
