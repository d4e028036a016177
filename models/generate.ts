/**
 * What sessions and batchers share: text generated from a prompt or from messages, as an async generator or as a promise.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { expectOptions, expectSignal, expectWhole } from "./expect.ts";
import { type Ended, Generation, type Overflow, type Piece } from "./generation.ts";
import type { Message, Model } from "./model.ts";
import { beginsThinking } from "./reasoning.ts";
import { expectSampling, Sampler, SAMPLING_OPTIONS, type SamplingOptions } from "./sampling.ts";
import type { Scheduler } from "./scheduler.ts";
import { type ChatPiece, expectSpeech, SPEECH_OPTIONS, type SpeechOptions, takeApart } from "./speech.ts";
import type { Sequence } from "./sequence.ts";

/** What `generate` and `complete` take besides the prompt. */
export interface GenerateOptions extends SamplingOptions {
  /** The most tokens; by default until the model ends, or the context is full. */
  maxTokens?: number;
  /** Texts that end it; they are not part of what is generated. */
  stop?: string | readonly string[];
  /** With each token, of how many of the likeliest is told how likely they were; 0 for the one alone that came. Nothing by default. */
  top?: number;
  /** Cancels, within one node of the graph that is being computed. */
  signal?: AbortSignal;
}

/** What `chat` takes besides the messages. */
export interface ChatOptions extends GenerateOptions, SpeechOptions {
  /** The tools that the model may ask for, as its template takes them. */
  tools?: readonly unknown[];
}

/** What `complete` gives. */
export interface Completion extends Ended {
  /** The whole text. */
  readonly text: string;
}

const OPTIONS: readonly string[] = [...SAMPLING_OPTIONS, "maxTokens", "stop", "top", "signal"];

/** A prompt as tokens. */
export interface Prompt {
  readonly tokens: Int32Array;
  /** How many of the first are never dropped. */
  readonly keep: number;
}

/** Where something is generated. */
export interface Place {
  /** Who generates, for errors: `Session.generate`. */
  readonly where: string;
  readonly model: Model;
  readonly scheduler: Scheduler;
  /** The sequence; null for any. */
  readonly sequence: Sequence | null;
  readonly overflow: Overflow;
  /** Throws if nothing may be generated there any more. */
  readonly expectThere: () => void;
}

/** Throws unless the options are in order. */
function expectGenerate(where: string, options: GenerateOptions): void {
  expectOptions(where, options, OPTIONS);
  const { maxTokens = Infinity, stop = [], top = 0, signal } = options;
  expectWhole(`${where}: maxTokens`, maxTokens, 1);
  expectWhole(`${where}: top`, top, 0, 1000);
  const stops = typeof stop === "string" ? [stop] : stop;
  if (!Array.isArray(stops) || !stops.every((text) => typeof text === "string" && text !== "")) {
    throw new TypeError(`${where}: stop must be a text or an array of texts, none of them empty, got ${describe(stop)}`);
  }
  expectSignal(where, signal);
  expectSampling(where, options);
}

/** The tokens of a prompt. Names of control tokens in a text are these. */
export async function promptOf(where: string, model: Model, prompt: string | ArrayLike<number>): Promise<Prompt> {
  const { vocabulary } = model;
  const tokens = typeof prompt === "string"
    ? await model.tokensOf(prompt, { parseSpecial: true }, where)
    : vocabulary.expectTokens(`${where}: the prompt`, prompt, "a text or its tokens");
  if (tokens.length === 0) throw new RangeError(`${where}: the prompt has no tokens`);
  return { tokens, keep: tokens[0] === vocabulary.special.bos ? 1 : 0 };
}

/** The tokens of messages: of those that fit in, if the oldest may be dropped. */
async function chatPrompt(
  { where, model, scheduler, overflow }: Place,
  messages: readonly Message[],
  options: ChatOptions,
): Promise<Prompt> {
  const { tools, maxTokens = Infinity } = options;
  const room = scheduler.context.size - Math.min(maxTokens, Math.floor(scheduler.context.size / 4));
  const tokensOf = (some: readonly Message[]) => model.tokenizeChat(some, { tools }, where);
  let kept = [...messages], tokens = await tokensOf(kept);
  while (overflow === "drop" && tokens.length > room) {
    const shorter = withoutOldestTurn(kept);
    if (shorter === null) break;
    kept = shorter;
    tokens = await tokensOf(kept);
  }
  if (tokens.length === 0) throw new RangeError(`${where}: the messages have no tokens`);
  return { tokens, keep: overflow === "drop" ? commonLength(tokens, await systemTokens(model, kept, tools, where)) : 0 };
}

/** The messages without what the first user said and what was answered; null if nothing may be dropped any more. */
function withoutOldestTurn(messages: readonly Message[]): Message[] | null {
  const turns = messages.flatMap(({ role }, i) => role === "user" ? [i] : []);
  return turns.length < 2 ? null : messages.toSpliced(turns[0], turns[1] - turns[0]);
}

/** The tokens of the messages before the first turn. */
async function systemTokens(
  model: Model,
  messages: readonly Message[],
  tools: readonly unknown[] | undefined,
  where: string,
): Promise<Int32Array> {
  const first = messages.findIndex(({ role }) => role === "user");
  if (first <= 0) return Int32Array.of(model.vocabulary.special.bos ?? -1);
  return await model.tokenizeChat(messages.slice(0, first), { tools, addGenerationPrompt: false }, where);
}

function commonLength(a: Int32Array, b: Int32Array): number {
  const differs = a.findIndex((token, i) => token !== b[i]);
  return differs < 0 ? a.length : differs;
}

/** Generates text. */
export async function* generate(
  place: Place,
  promptFor: () => Promise<Prompt>,
  options: GenerateOptions,
): AsyncGenerator<Piece, Ended, void> {
  const { where, scheduler, sequence } = place;
  expectGenerate(where, options);
  const { signal } = options;
  signal?.throwIfAborted();
  place.expectThere();
  const prompt = await promptFor();
  signal?.throwIfAborted(); // C may have made tokens for a while
  place.expectThere();
  const generation = prepare(place, prompt, options);
  const onAbort = () => {
    generation.fail(signal!.reason);
    scheduler.leave(generation);
  };
  signal?.addEventListener("abort", onAbort);
  scheduler.submit(generation, sequence);
  try {
    for (;;) {
      const next = await generation.next();
      if ("reason" in next) return next;
      yield next;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    scheduler.leave(generation);
    if (sequence !== null) await scheduler.whenLeft(sequence); // and so a session can be saved, or used again, at once
  }
}

function prepare({ where, model, scheduler, overflow }: Place, prompt: Prompt, options: GenerateOptions): Generation {
  const { vocabulary } = model, { size } = scheduler.context, { maxTokens = Infinity, stop = [] } = options;
  const tokens = overflow === "drop" ? shortened(prompt, size) : prompt.tokens;
  if (tokens.length > size) {
    throw new RangeError(`${where}: the prompt is longer than the context: it has ${tokens.length} tokens, and there is room for ${size}`);
  }
  return new Generation({
    where,
    vocabulary,
    prompt: tokens,
    maxTokens,
    stop: typeof stop === "string" ? [stop] : stop,
    overflow,
    keep: Math.min(prompt.keep, size - 1),
    top: options.top,
    sampler: new Sampler(where, vocabulary, options, tokens, size),
  });
}

/** A prompt of which the oldest tokens were dropped until a quarter of the context is free. */
function shortened({ tokens, keep }: Prompt, size: number): Int32Array {
  if (tokens.length <= size) return tokens;
  const left = Math.max(1, Math.floor(0.75 * size) - keep);
  return Int32Array.of(...tokens.subarray(0, keep), ...tokens.subarray(tokens.length - left));
}

/** Answers messages. */
export async function* chat(
  place: Place,
  messages: readonly Message[],
  all: ChatOptions,
): AsyncGenerator<ChatPiece, Ended, void> {
  expectOptions(place.where, all, [...OPTIONS, ...SPEECH_OPTIONS, "tools"]);
  if (!Array.isArray(messages)) throw new TypeError(`${place.where}: expected an array of messages, got ${describe(messages)}`);
  const { tools, reasoning, calls, ...options } = all;
  expectSpeech(place.where, { reasoning, calls }, tools);
  place.expectThere();
  const { model } = place, prompt = await chatPrompt(place, messages, { tools, maxTokens: options.maxTokens });
  const inside = beginsThinking(model.vocabulary, prompt.tokens);
  return yield* takeApart(generate(place, () => Promise.resolve(prompt), options), { reasoning, calls }, tools ?? [], inside);
}

/** Waits for all of it. */
export async function complete(pieces: AsyncGenerator<Piece, Ended, void>): Promise<Completion> {
  let text = "";
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { text, ...next.value };
    text += next.value.text;
  }
}
