/**
 * `POST /v1/chat/completions`.
 *
 * @module
 */

import { lib } from "../../ffi/lib.js";
import { ReasoningSplitter } from "../reasoning.ts";
import { type ToolCall, ToolCallReader } from "../tools.ts";
import { type Event, finishOf, respond, Usage, type Writer } from "./answers.ts";
import { seconds, type Served } from "./context.ts";
import { ApiError } from "./error.ts";
import { Fields } from "./fields.ts";
import { readFormat, readTools, type Tool } from "./format.ts";
import { readMessages } from "./messages.ts";
import { readAnswering } from "./sampling.ts";

/** Answers messages. */
export async function chat(served: Served, request: Request, body: Record<string, unknown>): Promise<Response> {
  const fields = new Fields(body), { model } = served;
  served.expectModel(fields.text("model"));
  const messages = readMessages(fields), { generate, stream, includeUsage, count } = readAnswering(fields);
  const format = readFormat(fields), { tools, grammar } = readTools(fields, marksCalls(served));
  fields.only("logprobs", false);
  fields.only("top_logprobs", 0);
  fields.only("modalities", ["text"]);
  fields.end();
  const prompt = promptOf(() => model.tokenizeChat(messages, tools.length > 0 ? { tools } : {}));
  const thinks = grammar === undefined && format === undefined ? isThinking(served, prompt) : null;
  const writer = new ChatWriter(served, { count, includeUsage, stream, tools, thinks });
  const chosen = grammar ?? format;
  const asked = { prompts: Array(count).fill(prompt), generate: chosen === undefined ? generate : { ...generate, grammar: chosen } };
  return await respond(served, request, asked, writer, stream);
}

/** What a template refuses is the client's. */
function promptOf(tokenize: () => Int32Array): Int32Array {
  try {
    return tokenize();
  } catch (error) {
    throw new ApiError(400, (error as Error).message, { param: "messages" });
  }
}

/** True if the model writes calls of tools between marks. */
function marksCalls({ model }: Served): boolean {
  return lib.llama_model_chat_template(model.handle, null)?.includes("<tool_call>") ?? false;
}

/** True if the prompt ends within the model's thinking. */
function isThinking({ model }: Served, prompt: Int32Array): boolean {
  return model.detokenize(prompt.subarray(-8), { special: true }).trimEnd().endsWith("<think>");
}

interface ChatOptions {
  readonly count: number;
  readonly includeUsage: boolean;
  readonly stream: boolean;
  readonly tools: readonly Tool[];
  /** Whether the model is thinking when it begins; null if its text is to be left as it is. */
  readonly thinks: boolean | null;
}

/** One of the answers: what of it was read. */
class Choice {
  readonly #splitter: ReasoningSplitter | null;
  readonly #reader: ToolCallReader | null;
  #count = 0;
  text = "";
  reasoning = "";
  readonly calls: object[] = [];
  finish: string | null = null;

  constructor({ thinks, tools }: ChatOptions, apart: boolean) {
    this.#splitter = thinks !== null && apart ? new ReasoningSplitter({ inside: thinks }) : null;
    this.#reader = tools.length > 0 ? new ToolCallReader(tools.map((tool) => tool.function.name)) : null;
  }

  /** Reads more of it, or its end. */
  read(text: string | null): { text: string; reasoning: string; calls: object[] } {
    const { text: rest, reasoning } = this.#think(text);
    const parts = this.#reader === null ? [{ text: rest, calls: [] }] : [this.#reader.push(rest)];
    if (text === null && this.#reader !== null) parts.push(this.#reader.end());
    const said = parts.map((part) => part.text).join(""), calls = parts.flatMap((part) => part.calls).map((call) => this.#numbered(call));
    this.text += said;
    this.reasoning += reasoning;
    this.calls.push(...calls);
    return { text: said, reasoning, calls };
  }

  #think(text: string | null): { text: string; reasoning: string } {
    if (this.#splitter === null) return { text: text ?? "", reasoning: "" };
    return text === null ? this.#splitter.end() : this.#splitter.push(text);
  }

  #numbered({ name, arguments: args }: ToolCall): object {
    return {
      index: this.#count++,
      id: `call_${crypto.randomUUID().replaceAll("-", "")}`,
      type: "function",
      function: { name, arguments: args },
    };
  }
}

/** Writes answers as chat completions. */
class ChatWriter implements Writer {
  readonly #served: Served;
  readonly #options: ChatOptions;
  readonly #id = `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #created = seconds();
  readonly #choices: Choice[];
  readonly #usage = new Usage();

  constructor(served: Served, options: ChatOptions) {
    const { reasoning = "apart" } = served.options;
    this.#served = served;
    this.#options = options;
    this.#choices = Array.from({ length: options.count }, () => new Choice(options, reasoning !== "text"));
  }

  first(): unknown[] {
    return this.#choices.map((_, index) => this.#chunk(index, { role: "assistant", content: "" }));
  }

  note(event: Event): unknown[] {
    const { index } = event, choice = this.#choices[index];
    if ("value" in event) return this.#deltas(index, choice.read(event.value.text));
    const rest = this.#deltas(index, choice.read(null));
    this.#usage.add(event.ended);
    choice.finish = choice.calls.length > 0 ? "tool_calls" : finishOf(event.ended);
    return [...rest, this.#chunk(index, {}, choice.finish)];
  }

  #deltas(index: number, { text, reasoning, calls }: { text: string; reasoning: string; calls: object[] }): unknown[] {
    const deltas: object[] = [];
    if (reasoning !== "" && this.#showsReasoning) deltas.push({ reasoning_content: reasoning });
    if (text !== "") deltas.push({ content: text });
    if (calls.length > 0) deltas.push({ tool_calls: calls });
    return deltas.map((delta) => this.#chunk(index, delta));
  }

  get #showsReasoning(): boolean {
    return this.#served.options.reasoning !== "hidden";
  }

  last(): unknown[] {
    return this.#options.includeUsage ? [{ ...this.#head("chat.completion.chunk"), choices: [], usage: this.#usage }] : [];
  }

  whole(): unknown {
    const choices = this.#choices.map(({ text, reasoning, calls, finish }, index) => ({
      index,
      message: {
        role: "assistant",
        content: text === "" && calls.length > 0 ? null : text,
        ...reasoning !== "" && this.#showsReasoning ? { reasoning_content: reasoning } : {},
        ...calls.length > 0 ? { tool_calls: calls } : {},
      },
      logprobs: null,
      finish_reason: finish,
    }));
    return { ...this.#head("chat.completion"), choices, usage: this.#usage };
  }

  #head(object: string): object {
    return { id: this.#id, object, created: this.#created, model: this.#served.name };
  }

  #chunk(index: number, delta: object, finish: string | null = null): unknown {
    return { ...this.#head("chat.completion.chunk"), choices: [{ index, delta, logprobs: null, finish_reason: finish }] };
  }
}
