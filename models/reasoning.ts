/**
 * What a model thinks before it answers, apart from the answer.
 *
 * @module
 */

import { expectBoolean, expectOptions, expectText } from "./expect.ts";
import { endOf } from "./partial.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** How many tokens at the end of a prompt are looked at for what begins the thinking. */
const LOOKED_AT = 16;

/** True if a prompt ends with what begins the thinking. */
export function beginsThinking(vocabulary: Vocabulary, prompt: Int32Array): boolean {
  return /<think>\s*$/.test(vocabulary.detokenize(prompt.subarray(-LOOKED_AT), { special: true }));
}

/** A part of an answer. */
export interface Spoken {
  /** What belongs to the answer; "" for nothing. */
  readonly text: string;
  /** What the model thinks; "" for nothing. */
  readonly reasoning: string;
}

/** What {@linkcode ReasoningSplitter} is made with. */
export interface ReasoningOptions {
  /** What begins the thinking; `<think>` by default. */
  readonly open?: string;
  /** What ends it; `</think>` by default. */
  readonly close?: string;
  /** True if the prompt ended with what begins it, so that the model is thinking already. */
  readonly inside?: boolean;
}

/**
 * Tells what a model thinks from what it answers, while the text comes.
 *
 * Only what stands at the very beginning is thinking: an answer may speak of the marks. What may be a part of a mark is held back, and so is
 * the space around the thinking, which belongs to neither.
 *
 * @example
 * ```ts
 * import { ReasoningSplitter } from "@ggml/deno/models";
 *
 * const splitter = new ReasoningSplitter();
 * console.log(splitter.push("<think>It is 2")); // { text: "", reasoning: "It is 2" }
 * console.log(splitter.push(".\n</thi")); // { text: "", reasoning: "." }
 * console.log(splitter.push("nk>\n\nTwo.")); // { text: "Two.", reasoning: "" }
 * console.log(splitter.end()); // { text: "", reasoning: "" }
 * ```
 */
export class ReasoningSplitter {
  readonly #open: string;
  readonly #close: string;
  /** Where in the answer it is; `begun` is the space before either part. */
  #state: "start" | "begun" | "thinking" | "thought" | "answer";
  #held = "";

  /**
   * Begins an answer.
   *
   * @param options The marks around the thinking, and whether the prompt has the first of them.
   */
  constructor(options: ReasoningOptions = {}) {
    const where = "new ReasoningSplitter";
    expectOptions(where, options, ["open", "close", "inside"]);
    const { open = "<think>", close = "</think>", inside = false } = options;
    expectText(`${where}: open`, open);
    expectText(`${where}: close`, close);
    expectBoolean(`${where}: inside`, inside);
    this.#open = open;
    this.#close = close;
    this.#state = inside ? "begun" : "start";
  }

  /** True while the model thinks. */
  get thinking(): boolean {
    return this.#state === "begun" || this.#state === "thinking";
  }

  /**
   * Takes more of the answer.
   *
   * @param text What came.
   * @returns What is certain now.
   */
  push(text: string): Spoken {
    this.#held += text;
    let reasoning = "";
    if (this.#state === "start") this.#start();
    if (this.thinking) reasoning = this.#think();
    return { text: this.#answer(), reasoning };
  }

  /** Is it a beginning mark, or can it still become one? */
  #start(): void {
    const begun = this.#held.trimStart();
    if (begun.startsWith(this.#open)) {
      this.#held = begun.slice(this.#open.length);
      this.#state = "begun";
    } else if (!this.#open.startsWith(begun)) this.#state = "answer";
  }

  #think(): string {
    if (this.#state === "begun") this.#held = this.#held.trimStart();
    if (this.#held !== "") this.#state = "thinking";
    const at = this.#held.indexOf(this.#close);
    if (at >= 0) {
      const reasoning = this.#held.slice(0, at).trimEnd();
      this.#held = this.#held.slice(at + this.#close.length);
      this.#state = "thought";
      return reasoning;
    }
    const certain = this.#held.slice(0, this.#held.length - endOf(this.#held, [this.#close])).trimEnd();
    this.#held = this.#held.slice(certain.length);
    return certain;
  }

  #answer(): string {
    if (this.#state === "thought") {
      this.#held = this.#held.trimStart();
      if (this.#held !== "") this.#state = "answer";
    }
    if (this.#state !== "answer") return "";
    const text = this.#held;
    this.#held = "";
    return text;
  }

  /**
   * Takes the end of the answer.
   *
   * @returns What was held back: a mark that wasn't finished is what it looks like.
   */
  end(): Spoken {
    const held = this.#held, { thinking } = this;
    this.#held = "";
    this.#state = "answer";
    return thinking ? { text: "", reasoning: held } : { text: held, reasoning: "" };
  }
}
