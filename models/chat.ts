/**
 * Answers to messages, as sessions and batchers give them.
 *
 * @module
 */

import { expectOneOf } from "./expect.ts";
import { type ChatOptions, chatPrompt, generate, type Place } from "./generate.ts";
import type { Ended, Piece } from "./generation.ts";
import type { Message, Model } from "./model.ts";
import { type Said, SpokenReader } from "./spoken.ts";

/** A token of an answer, and what is certain with it. */
export interface ChatPiece extends Piece, Said {
  readonly text: string;
}

const REASONING = ["apart", "hidden", "text"];

/** Answers messages. */
export async function* chat(place: Place, messages: readonly Message[], options: ChatOptions): AsyncGenerator<ChatPiece, Ended, void> {
  const { tools = [], reasoning = "apart", ...rest } = options, free = rest.grammar === undefined && rest.schema === undefined;
  expectOneOf(`${place.where}: reasoning`, reasoning, REASONING);
  const prompt = chatPrompt(place, messages, options);
  const reader = new SpokenReader({
    reasoning: free ? reasoning : "text",
    inside: endsThinking(place.model, prompt.tokens),
    tools: tools.flatMap(nameOf),
  });
  const pieces = generate(place, () => prompt, rest);
  try {
    let token = 0;
    for (;;) {
      const next = await pieces.next();
      const said = next.done ? reader.end() : reader.push(next.value.text);
      if (!next.done) yield { ...next.value, ...said };
      else {
        if (said.text !== "" || said.reasoning !== "" || said.calls.length > 0) yield { token, ...said };
        return next.value;
      }
      token = next.value.token;
    }
  } finally {
    await pieces.return(undefined as never);
  }
}

/** True if a prompt ends within the model's thinking, as some templates have it. */
export function endsThinking(model: Model, prompt: Int32Array): boolean {
  return model.detokenize(prompt.subarray(-8), { special: true }).trimEnd().endsWith("<think>");
}

function nameOf(tool: unknown): string[] {
  const { function: described, name } = (tool ?? {}) as { function?: { name?: unknown }; name?: unknown }, found = described?.name ?? name;
  return typeof found === "string" ? [found] : [];
}
