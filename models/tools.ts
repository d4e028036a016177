/**
 * Tools that a model asks for: the calls in what it writes.
 *
 * Understood are the common forms: `<tool_call>{"name": …, "arguments": …}</tool_call>` (Hermes, Qwen), a JSON object or list of them that is
 * the whole answer, with `arguments` or `parameters` (Llama 3, also behind `<|python_tag|>`), and `[TOOL_CALLS]` before a list (Mistral) or before
 * `name[ARGS]{…}`. Marks that are control tokens have no text; what follows them is understood without.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { endOf } from "./partial.ts";

/** A call of a tool. */
export interface ToolCall {
  /** The tool's name. */
  readonly name: string;
  /** What it is given: a JSON object as a text. */
  readonly arguments: string;
}

/** A part of an answer: its text, and the calls that are whole now. */
export interface Asked {
  /** What isn't a call; "" for nothing. */
  readonly text: string;
  /** The calls; often none. */
  readonly calls: readonly ToolCall[];
}

const OPEN = "<tool_call>", CLOSE = "</tool_call>", MISTRAL = "[TOOL_CALLS]", PYTHON = "<|python_tag|>";

/**
 * Reads the calls of tools out of an answer, while it comes.
 *
 * What may become a call is held back until it is one, or is none: then it is text like all else.
 *
 * @example
 * ```ts
 * import { ToolCallReader } from "@ggml/deno/models";
 *
 * const reader = new ToolCallReader(["weather"]);
 * console.log(reader.push("I look it up.<tool")); // { text: "I look it up.", calls: [] }
 * console.log(reader.push('_call>{"name": "weather", "arguments": {"city": "Bonn"}}</tool_call>').calls); // [ { name: "weather", arguments: '{"city":"Bonn"}' } ]
 * console.log(reader.end()); // { text: "", calls: [] }
 * ```
 */
export class ToolCallReader {
  readonly #names: ReadonlySet<string>;
  #held = "";
  /** What the answer is: not known yet, text with calls between marks, or calls to its end. */
  #state: "start" | "text" | "call" | "rest" = "start";

  /**
   * Begins an answer.
   *
   * @param names The names of the tools that there are: what asks for another is text.
   */
  constructor(names: Iterable<string>) {
    if (typeof names !== "object" || names === null || !(Symbol.iterator in names)) {
      throw new TypeError(`ToolCallReader: expected the names of tools, got ${describe(names)}`);
    }
    this.#names = new Set(names);
  }

  /**
   * Takes more of the answer.
   *
   * @param text What came.
   * @returns What is certain now.
   */
  push(text: string): Asked {
    this.#held += text;
    if (this.#state === "start") this.#start();
    const texts: string[] = [], calls: ToolCall[] = [];
    while (this.#state === "text" || this.#state === "call") {
      if (!(this.#state === "text" ? this.#readText(texts) : this.#readCall(texts, calls))) break;
    }
    return { text: texts.join(""), calls };
  }

  /** An answer that begins as JSON, or with a mark before calls, is held back as a whole. */
  #start(): void {
    const begun = this.#held.trimStart();
    if (begun === "") return;
    const isRest = /^[{[]/.test(begun) || begun.startsWith(PYTHON);
    if (isRest) this.#state = "rest";
    else if (!PYTHON.startsWith(begun)) this.#state = "text";
  }

  /** Gives the text before a mark, without the space between; false if there is nothing more to read. */
  #readText(texts: string[]): boolean {
    const open = this.#held.indexOf(OPEN), found = [open, this.#held.indexOf(MISTRAL)].filter((at) => at >= 0);
    const end = found.length > 0 ? Math.min(...found) : this.#held.length - endOf(this.#held, [OPEN, MISTRAL]);
    texts.push(this.#take(this.#held.slice(0, end).trimEnd().length));
    if (found.length > 0) this.#state = end === open ? "call" : "rest";
    return end === open;
  }

  /** Reads what is between the marks; false if it isn't whole. */
  #readCall(texts: string[], calls: ToolCall[]): boolean {
    const open = this.#held.indexOf(OPEN), close = this.#held.indexOf(CLOSE, open);
    if (close < 0) return false;
    const whole = this.#take(close + CLOSE.length), found = this.#callsOf(whole.slice(open + OPEN.length, -CLOSE.length));
    if (found === null) texts.push(whole);
    else calls.push(...found);
    this.#state = "text";
    return true;
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }

  /**
   * Takes the end of the answer.
   *
   * @returns What was held back: calls, or text if it is none.
   */
  end(): Asked {
    const held = this.#take(this.#held.length), state = this.#state;
    this.#state = "start";
    const inner = state === "call" ? held.trimStart().slice(OPEN.length) : held.trimStart().replace(PYTHON, "").replace(MISTRAL, "");
    const calls = state === "call" || state === "rest" ? this.#callsOf(inner) : null;
    return calls === null ? { text: held, calls: [] } : { text: "", calls };
  }

  /** The calls that a text is; null if it is something else. */
  #callsOf(text: string): ToolCall[] | null {
    const named = /^\s*([\w.-]+)\s*\[ARGS\](.*)$/s.exec(text);
    const values = named === null ? jsonValues(text) : jsonValues(named[2])?.map((args) => ({ name: named[1], arguments: args }));
    if (values === undefined || values === null || values.length === 0) return null;
    const calls = values.flat().map((value) => this.#callOf(value));
    return calls.length > 0 && calls.every((call) => call !== null) ? calls : null;
  }

  #callOf(value: unknown): ToolCall | null {
    if (typeof value !== "object" || value === null) return null;
    const asked = value as Record<string, unknown>, inner = (asked.function ?? asked) as Record<string, unknown>;
    const { name, arguments: given = inner.parameters ?? {} } = inner;
    if (typeof name !== "string" || !this.#names.has(name)) return null;
    if (typeof given === "string") return isJsonObject(given) ? { name, arguments: given } : null;
    return typeof given === "object" && given !== null ? { name, arguments: JSON.stringify(given) } : null;
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/** JSON values one after the other, with space, commas, semicolons or nothing between; null if it is something else. */
function jsonValues(text: string): unknown[] | null {
  const values: unknown[] = [];
  for (let rest = text.trim(); rest !== "";) {
    const length = jsonLength(rest);
    try {
      values.push(JSON.parse(rest.slice(0, length)));
    } catch {
      return null;
    }
    rest = rest.slice(length).replace(/^[\s;,]+/, "");
  }
  return values;
}

/** How long the object or list is that a text begins with; the whole text if it has no end. */
function jsonLength(text: string): number {
  let depth = 0, quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted) {
      if (text[i] === "\\") i++;
      else if (text[i] === '"') quoted = false;
    } else if (text[i] === '"') quoted = true;
    else if (text[i] === "{" || text[i] === "[") depth++;
    else if ((text[i] === "}" || text[i] === "]") && --depth <= 0) return i + 1;
  }
  return text.length;
}
