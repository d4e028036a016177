/**
 * What a model says in a chat, taken apart while it comes: what it thinks, what it answers, and the tools that it asks for.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { expectOneOf } from "./expect.ts";
import type { Ended, Piece } from "./generation.ts";
import { ReasoningSplitter, type Spoken } from "./reasoning.ts";
import { type Asked, type ToolCall, ToolCallReader } from "./tools.ts";

/** What becomes of what isn't the answer. */
export interface SpeechOptions {
  /**
   * What becomes of what the model thinks before it answers, between `<think>` and `</think>`. `"text"`, the default: it is in the text, as the model
   * writes it. `"apart"`: it is in `reasoning`. `"none"`: it is left out.
   */
  reasoning?: "text" | "apart" | "none";
  /** What becomes of calls of tools: in the text (`"text"`, the default), or in `calls` (`"apart"`), of the tools that `tools` has. */
  calls?: "text" | "apart";
}

/** A token of a chat, and what is certain with it. */
export interface ChatPiece extends Piece {
  /** What the model thinks, where that is asked for; else "". */
  readonly reasoning: string;
  /** The calls of tools that are whole now, where that is asked for; else none. */
  readonly calls: readonly ToolCall[];
}

/** The names of {@linkcode SpeechOptions}. */
export const SPEECH_OPTIONS = ["reasoning", "calls"];

/** Throws unless the options are in order. */
export function expectSpeech(where: string, { reasoning = "text", calls = "text" }: SpeechOptions, tools: unknown): void {
  expectOneOf(`${where}: reasoning`, reasoning, ["text", "apart", "none"]);
  expectOneOf(`${where}: calls`, calls, ["text", "apart"]);
  if (tools !== undefined && !Array.isArray(tools)) throw new TypeError(`${where}: tools must be an array, got ${describe(tools)}`);
}

/** Takes the pieces of an answer apart. `inside`: the prompt has begun the thinking. */
export async function* takeApart(
  pieces: AsyncGenerator<Piece, Ended, void>,
  options: SpeechOptions,
  tools: readonly unknown[],
  inside: boolean,
): AsyncGenerator<ChatPiece, Ended, void> {
  const speech = new Speech(options, tools, inside);
  let last: Piece | null = null;
  try {
    for (;;) {
      const next = await pieces.next();
      if (next.done) {
        const rest = speech.end();
        if (last !== null && (rest.text !== "" || rest.reasoning !== "" || rest.calls.length > 0)) yield { ...last, ...rest };
        return next.value;
      }
      last = next.value;
      yield { ...last, ...speech.push(last.text) };
    }
  } finally {
    await pieces.return(undefined as never);
  }
}

/** What is certain of an answer, by what it is. */
export type Parts = Spoken & Asked;

/** Reads one answer: first the thinking is taken out of the text, and then the calls. */
export class Speech {
  readonly #reasoning: ReasoningSplitter | null;
  readonly #calls: ToolCallReader | null;
  readonly #shows: boolean;

  constructor({ reasoning = "text", calls = "text" }: SpeechOptions, tools: readonly unknown[], inside: boolean) {
    this.#reasoning = reasoning === "text" ? null : new ReasoningSplitter({ inside });
    this.#calls = calls === "text" ? null : new ToolCallReader(tools.map(nameOf));
    this.#shows = reasoning === "apart";
  }

  push(text: string): Parts {
    return this.#parts(this.#reasoning?.push(text) ?? { text, reasoning: "" }, (text) => this.#calls?.push(text));
  }

  end(): Parts {
    return this.#parts(this.#reasoning?.end() ?? { text: "", reasoning: "" }, (text) => {
      const before = this.#calls?.push(text), after = this.#calls?.end();
      return before && after && { text: before.text + after.text, calls: [...before.calls, ...after.calls] };
    });
  }

  #parts({ text, reasoning }: Spoken, read: (text: string) => Asked | undefined): Parts {
    return { ...read(text) ?? { text, calls: [] }, reasoning: this.#shows ? reasoning : "" };
  }
}

/** The name of a tool, as `{ type: "function", function: { name } }` or `{ name }`. */
function nameOf(tool: unknown): string {
  const { name, function: inner } = (tool ?? {}) as { name?: string; function?: { name?: string } };
  return inner?.name ?? name ?? "";
}
