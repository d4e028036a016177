/**
 * `POST /v1/chat/completions`.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { beginsThinking } from "../reasoning.ts";
import { type Parts, Speech } from "../speech.ts";
import type { ToolCall } from "../tools.ts";
import { finishOf, type Happening, respond, Usage, type Writer } from "./answers.ts";
import { seconds, type Served } from "./context.ts";
import { orWrong } from "./error.ts";
import { Fields } from "./fields.ts";
import { readFormat, readTools } from "./format.ts";
import { chatLogprob } from "./logprobs.ts";
import { readMessages } from "./messages.ts";
import { readAnswering } from "./sampling.ts";

/** Answers messages. */
export async function chat(served: Served, request: Request, body: Record<string, unknown>): Promise<Response> {
  const fields = new Fields(body), { model } = served;
  served.expectModel(fields.text("model"));
  const messages = readMessages(fields), { generate, stream, includeUsage, count } = readAnswering(fields);
  const { tools, grammar, later = {} } = readTools(fields, marksCalls(served), readFormat(fields));
  const top = topOf(fields);
  fields.only("modalities", ["text"]);
  fields.end();
  const prompt = await orWrong("messages", () => model.tokenizeChat(messages, tools.length > 0 ? { tools } : {}, "messages"));
  const apart = {
    reasoning: grammar === undefined ? served.options.reasoning ?? "apart" : "text",
    calls: tools.length > 0 ? "apart" : "text",
  } as const;
  const inside = beginsThinking(model.vocabulary, prompt);
  const choices = Array.from({ length: count }, () => new Choice(new Speech(apart, tools, inside), top !== undefined));
  const options = { ...generate, ...grammar === undefined ? later : { grammar }, ...top === undefined ? {} : { top } };
  const writer = new ChatWriter(served, choices, includeUsage);
  return await respond(served, request, { from: "messages", prompts: Array(count).fill(prompt), generate: options }, writer, stream);
}

/** How many of the likeliest tokens are told with their likelihoods; undefined for none. */
function topOf(fields: Fields): number | undefined {
  const wanted = fields.flag("logprobs") ?? false, top = fields.whole("top_logprobs", 0, 20) ?? 0;
  if (!wanted && top > 0) throw fields.wrong("top_logprobs", "logprobs has to be true");
  return wanted ? top : undefined;
}

/** True if the model writes calls of tools between marks. */
function marksCalls({ model }: Served): boolean {
  return lib.llama_model_chat_template(model.handle, null)?.includes("<tool_call>") ?? false;
}

/** What was read of one of the answers so far. */
class Choice {
  readonly #reader: Speech;
  text = "";
  reasoning = "";
  readonly calls: object[] = [];
  /** How likely each token was; null if nobody asked. */
  readonly logprobs: { content: unknown[]; refusal: null } | null;
  finish: string | null = null;

  constructor(reader: Speech, logprobs: boolean) {
    this.#reader = reader;
    this.logprobs = logprobs ? { content: [], refusal: null } : null;
  }

  /** Reads more of it, or its end; gives what a stream has of that. */
  read(text: string | null): object[] {
    const said = text === null ? this.#reader.end() : this.#reader.push(text), calls = said.calls.map((call, i) => this.#numbered(call, i));
    this.text += said.text;
    this.reasoning += said.reasoning;
    this.calls.push(...calls);
    return deltasOf(said, calls);
  }

  #numbered({ name, arguments: args }: ToolCall, index: number): object {
    const id = `call_${crypto.randomUUID().replaceAll("-", "")}`;
    return { index: this.calls.length + index, id, type: "function", function: { name, arguments: args } };
  }

  get message(): object {
    const { text, reasoning, calls } = this;
    return {
      role: "assistant",
      content: text === "" && calls.length > 0 ? null : text,
      ...reasoning === "" ? {} : { reasoning_content: reasoning },
      ...calls.length === 0 ? {} : { tool_calls: calls },
    };
  }
}

function deltasOf({ text, reasoning }: Parts, calls: readonly object[]): object[] {
  return [
    ...reasoning === "" ? [] : [{ reasoning_content: reasoning }],
    ...text === "" ? [] : [{ content: text }],
    ...calls.length === 0 ? [] : [{ tool_calls: calls }],
  ];
}

/** Writes answers as chat completions. */
class ChatWriter implements Writer {
  readonly #served: Served;
  readonly #choices: readonly Choice[];
  readonly #includeUsage: boolean;
  readonly #id = `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #created = seconds();
  readonly #usage: Usage;

  constructor(served: Served, choices: readonly Choice[], includeUsage: boolean) {
    this.#served = served;
    this.#choices = choices;
    this.#usage = new Usage(choices.length);
    this.#includeUsage = includeUsage;
  }

  first(): unknown[] {
    return this.#choices.map((_, index) => this.#chunk(index, { role: "assistant", content: "" }));
  }

  note(event: Happening): unknown[] {
    const { index } = event, choice = this.#choices[index];
    if ("value" in event) {
      const logprob = chatLogprob(this.#served.model, event.value), deltas = choice.read(event.value.text);
      if (logprob === null) return deltas.map((delta) => this.#chunk(index, delta));
      choice.logprobs!.content.push(logprob);
      const [first = {}, ...others] = deltas;
      return [this.#chunk(index, first, null, { content: [logprob], refusal: null }), ...others.map((delta) => this.#chunk(index, delta))];
    }
    const rest = choice.read(null).map((delta) => this.#chunk(index, delta));
    this.#usage.add(index, event.ended);
    const finish = finishOf(event.ended); // of calls that were cut off, those that are whole aren't all that were meant
    choice.finish = choice.calls.length > 0 && finish === "stop" ? "tool_calls" : finish;
    return [...rest, this.#chunk(index, {}, choice.finish)];
  }

  last(): unknown[] {
    return this.#includeUsage ? [{ ...this.#head("chat.completion.chunk"), choices: [], usage: this.#usage }] : [];
  }

  whole(): unknown {
    const choices = this.#choices.map(({ message, logprobs, finish }, index) => ({ index, message, logprobs, finish_reason: finish }));
    return { ...this.#head("chat.completion"), choices, usage: this.#usage };
  }

  #head(object: string): object {
    return { id: this.#id, object, created: this.#created, model: this.#served.name };
  }

  #chunk(index: number, delta: object, finish: string | null = null, logprobs: object | null = null): unknown {
    return { ...this.#head("chat.completion.chunk"), choices: [{ index, delta, logprobs, finish_reason: finish }] };
  }
}
