/**
 * How an answer is chosen: the fields that chat and completions share.
 *
 * @module
 */

import type { GenerateOptions } from "../generate.ts";
import { Fields } from "./fields.ts";

/** What both take besides the prompt. */
export interface Answering {
  readonly generate: GenerateOptions;
  readonly stream: boolean;
  /** True if the stream is to end with what was used. */
  readonly includeUsage: boolean;
  /** How many answers. */
  readonly count: number;
}

const IGNORED = [
  ...["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "verbosity"],
  "reasoning_effort",
];

/** So many answers at most to one request. */
const MOST_ANSWERS = 16;

/** Reads them. Which names they have is OpenAI's; `top_k`, `min_p` and `repeat_penalty` are llama.cpp's. */
export function readAnswering(fields: Fields): Answering {
  const given: GenerateOptions = {
    maxTokens: fields.whole("max_completion_tokens", 1, 2 ** 31) ?? fields.whole("max_tokens", 1, 2 ** 31),
    temperature: fields.number("temperature", 0, 2),
    topP: fields.number("top_p", 0, 1),
    topK: fields.whole("top_k", 0, 2 ** 31 - 1),
    minP: fields.number("min_p", 0, 1),
    seed: seedOf(fields),
    stop: stopOf(fields),
    logitBias: biasOf(fields),
    penalties: penaltiesOf(fields),
  };
  fields.any("max_tokens");
  fields.ignore(...IGNORED);
  const stream = fields.flag("stream") ?? false, includeUsage = includesUsage(fields);
  const generate = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { generate, stream, includeUsage, count: fields.whole("n", 1, MOST_ANSWERS) ?? 1 };
}

function includesUsage(fields: Fields): boolean {
  const options = new Fields(fields.object("stream_options") ?? {}, "stream_options.");
  const included = options.flag("include_usage") ?? false;
  options.ignore("include_obfuscation");
  options.end();
  return included;
}

function seedOf(fields: Fields): number | undefined {
  const seed = fields.whole("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return seed === undefined ? undefined : seed >>> 0;
}

function stopOf(fields: Fields): string[] | undefined {
  const stop = fields.any("stop");
  if (stop === undefined) return undefined;
  const stops = Array.isArray(stop) ? stop : [stop];
  if (stops.every((text) => typeof text === "string" && text !== "") && stops.length <= 16) return stops;
  throw fields.wrong("stop", "expected a text or up to 16 of them, none of them empty");
}

/** OpenAI's scale goes from -100, which forbids a token, to 100. */
function biasOf(fields: Fields): Map<number, number> | undefined {
  const bias = fields.object("logit_bias");
  if (bias === undefined) return undefined;
  return new Map(
    Object.entries(bias).map(([token, value]) => {
      if (/^\d+$/.test(token) && typeof value === "number" && value >= -100 && value <= 100) {
        return [Number(token), value === -100 ? -Infinity : value];
      }
      throw fields.wrong("logit_bias", `expected tokens with numbers from -100 to 100, got ${JSON.stringify({ [token]: value })}`);
    }),
  );
}

function penaltiesOf(fields: Fields): GenerateOptions["penalties"] {
  const frequency = fields.number("frequency_penalty", -2, 2), presence = fields.number("presence_penalty", -2, 2);
  const repeat = fields.number("repeat_penalty", 0.01, 100);
  if (!frequency && !presence && (repeat ?? 1) === 1) return undefined;
  return { last: -1, frequency: frequency ?? 0, presence: presence ?? 0, repeat: repeat ?? 1 };
}
