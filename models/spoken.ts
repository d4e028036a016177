/**
 * What an answer is made of: what the model thinks, what it says, which tools it calls.
 *
 * @module
 */

import { ReasoningSplitter } from "./reasoning.ts";
import { type ToolCall, ToolCallReader } from "./tools.ts";

/** What becomes of the thinking before an answer: it is told apart from the answer, left out, or a part of its text. */
export type Reasoning = "apart" | "hidden" | "text";

/** A part of an answer. */
export interface Said {
  /** What it says; "" for nothing. */
  readonly text: string;
  /** What the model thinks; "" for nothing. */
  readonly reasoning: string;
  /** The tools that it calls. */
  readonly calls: readonly ToolCall[];
}

/** How an answer is read. */
export interface SpokenOptions {
  readonly reasoning: Reasoning;
  /** True if the prompt ends within the thinking. */
  readonly inside: boolean;
  /** The names of the tools; none if calls are to be left in the text. */
  readonly tools: readonly string[];
}

/** Reads one answer while it comes. */
export class SpokenReader {
  readonly #hidden: boolean;
  readonly #splitter: ReasoningSplitter | null;
  readonly #reader: ToolCallReader | null;

  constructor({ reasoning, inside, tools }: SpokenOptions) {
    this.#hidden = reasoning === "hidden";
    this.#splitter = reasoning === "text" ? null : new ReasoningSplitter({ inside });
    this.#reader = tools.length > 0 ? new ToolCallReader(tools) : null;
  }

  /** Takes more of it. */
  push(text: string): Said {
    const { text: answer, reasoning } = this.#splitter?.push(text) ?? { text, reasoning: "" };
    return this.#said(reasoning, [this.#reader?.push(answer) ?? { text: answer, calls: [] }]);
  }

  /** Takes its end; gives what was held back. */
  end(): Said {
    const { text, reasoning } = this.#splitter?.end() ?? { text: "", reasoning: "" };
    return this.#said(reasoning, this.#reader === null ? [{ text, calls: [] }] : [this.#reader.push(text), this.#reader.end()]);
  }

  #said(reasoning: string, parts: readonly { text: string; calls: readonly ToolCall[] }[]): Said {
    const text = parts.map((part) => part.text).join("");
    return { text, reasoning: this.#hidden ? "" : reasoning, calls: parts.flatMap((part) => part.calls) };
  }
}
