/**
 * `POST /v1/completions`.
 *
 * @module
 */

import type { Model } from "../model.ts";
import type { TokenizeOptions } from "../vocabulary.ts";
import { finishOf, type Happening, respond, Usage, type Writer } from "./answers.ts";
import { seconds, type Served } from "./context.ts";
import { orWrong } from "./error.ts";
import { Fields, show } from "./fields.ts";
import { readFormat } from "./format.ts";
import { infillPrompt } from "./infill.ts";
import { TextLogprobs } from "./logprobs.ts";
import { readAnswering } from "./sampling.ts";

/** So many tokens an answer has where a request doesn't say: OpenAI's default. */
const MAX_TOKENS = 16;

/** Continues texts. */
export async function completions(served: Served, request: Request, body: Record<string, unknown>): Promise<Response> {
  const fields = new Fields(body);
  served.expectModel(fields.text("model"));
  const { generate, stream, includeUsage, count } = readAnswering(fields), grammar = readFormat(fields);
  const suffix = fields.text("suffix") ?? "", repeat = <T>(values: readonly T[]) => values.flatMap((value) => Array<T>(count).fill(value));
  const texts = readTexts(fields, "prompt"), each: ArrayLike<number>[] = [];
  for (const text of texts) each.push(await promptOf(served, fields, text, suffix));
  const prompts = repeat(each);
  const top = fields.whole("logprobs", 0, 20), echo = readEcho(fields, top !== undefined);
  fields.only("best_of", 1, count);
  fields.end();
  const given = Object.fromEntries(Object.entries({ grammar, top }).filter(([, value]) => value !== undefined));
  const options = { maxTokens: MAX_TOKENS, ...generate, ...given };
  const before = repeat(texts.map((text) => !echo ? "" : typeof text === "string" ? text : served.model.detokenize(text)));
  const writer = new TextWriter(served, before, new Usage(count), includeUsage, top !== undefined);
  return await respond(served, request, { from: "prompt", prompts, generate: options }, writer, stream);
}

/** A text, tokens, or an array of either. */
export function readTexts(fields: Fields, name: string): (string | number[])[] {
  const value = fields.any(name), isTokens = (some: unknown) => Array.isArray(some) && some.length > 0 && some.every(Number.isInteger);
  const texts = typeof value === "string" || isTokens(value) ? [value] : value;
  if (
    Array.isArray(texts) && texts.length > 0 && texts.length <= MOST && texts.every((text) => typeof text === "string" || isTokens(text))
  ) {
    return texts;
  }
  throw fields.wrong(name, `expected a text, tokens, or an array of up to ${MOST} of either, got ${show(value)}`);
}

const MOST = 2048;

/** Whether the prompt comes before the answer. How likely its own tokens are isn't known: those in a cache aren't computed. */
function readEcho(fields: Fields, logprobs: boolean): boolean {
  const echo = fields.flag("echo") ?? false;
  if (echo && logprobs) throw fields.wrong("echo", "isn't supported together with logprobs, which a prompt's tokens have none of here");
  return echo;
}

async function promptOf({ model }: Served, fields: Fields, text: string | number[], suffix: string): Promise<ArrayLike<number>> {
  if (suffix !== "") {
    if (typeof text !== "string") throw fields.wrong("prompt", "expected a text, since there is a suffix, got tokens");
    const tokens = await orWrong("prompt", () => infillPrompt(model, text, suffix));
    if (tokens !== null) return tokens;
    throw fields.wrong("suffix", "this model wasn't trained to fill in: its vocabulary has no tokens for what is before and after");
  }
  const tokens = await tokensOf(model, "prompt", text, { parseSpecial: true });
  if (tokens.length === 0) throw fields.wrong("prompt", "it has no tokens");
  return tokens;
}

/** The tokens of what a field has. */
export function tokensOf(model: Model, name: string, text: string | number[], options: TokenizeOptions = {}): Promise<Int32Array> {
  return orWrong(name, () => typeof text === "string" ? model.tokensOf(text, options, name) : model.vocabulary.expectTokens(name, text));
}

/** Writes answers as completions. */
class TextWriter implements Writer {
  readonly #served: Served;
  readonly #includeUsage: boolean;
  readonly #id = `cmpl-${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #created = seconds();
  readonly #texts: string[];
  readonly #finish: (string | null)[];
  readonly #logprobs: (TextLogprobs | null)[];
  readonly #usage: Usage;

  /** @param before What each answer begins with. */
  constructor(served: Served, before: readonly string[], usage: Usage, includeUsage: boolean, logprobs: boolean) {
    const count = before.length;
    this.#served = served;
    this.#usage = usage;
    this.#includeUsage = includeUsage;
    this.#texts = [...before];
    this.#finish = Array(count).fill(null);
    this.#logprobs = Array.from({ length: count }, () => logprobs ? new TextLogprobs() : null);
  }

  first(): unknown[] {
    return this.#texts.flatMap((text, i) => text === "" ? [] : [this.#object([choiceOf(i, text, null)])]);
  }

  note(event: Happening): unknown[] {
    const { index } = event;
    if ("value" in event) {
      const { text } = event.value, part = this.#logprobs[index] === null ? null : new TextLogprobs(this.#texts[index].length);
      for (const logprobs of [this.#logprobs[index], part]) logprobs?.add(this.#served.model, event.value);
      this.#texts[index] += text;
      return text === "" && part === null ? [] : [this.#object([choiceOf(index, text, null, part)])];
    }
    this.#usage.add(index, event.ended);
    this.#finish[index] = finishOf(event.ended);
    return [this.#object([choiceOf(index, "", this.#finish[index])])];
  }

  last(): unknown[] {
    return this.#includeUsage ? [{ ...this.#object([]), usage: this.#usage }] : [];
  }

  whole(): unknown {
    return { ...this.#object(this.#texts.map((text, i) => choiceOf(i, text, this.#finish[i], this.#logprobs[i]))), usage: this.#usage };
  }

  #object(choices: readonly object[]): object {
    return { id: this.#id, object: "text_completion", created: this.#created, model: this.#served.name, choices };
  }
}

function choiceOf(index: number, text: string, finish: string | null, logprobs: TextLogprobs | null = null): object {
  return { index, text, logprobs, finish_reason: finish };
}
