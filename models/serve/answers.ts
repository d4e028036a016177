/**
 * Answers to one request: computed together, collected or streamed, ended where the client goes away.
 *
 * @module
 */

import type { GenerateOptions } from "../generate.ts";
import type { Ended, Piece } from "../generation.ts";
import type { Served } from "./context.ts";
import { ApiError } from "./error.ts";
import { merge, type Merged } from "./merge.ts";
import { eventStream } from "./sse.ts";

/** What is computed for a request. */
export interface Asked {
  /** The field that has the prompts. */
  readonly from: "messages" | "prompt";
  /** A prompt for each answer. */
  readonly prompts: readonly ArrayLike<number>[];
  readonly generate: GenerateOptions;
}

/** A piece of an answer, or its end. */
export type Happening = Merged<Piece, Ended>;

/** How answers become a response. */
export interface Writer {
  /** What a client gets that waits for all: called when all events were noted. */
  whole(): unknown;
  /** Notes an event; gives what a client gets that streams. */
  note(event: Happening): unknown[];
  /** What a stream begins and ends with. */
  first(): unknown[];
  last(): unknown[];
}

/** What several answers have cost. A prompt counts once, however many answers it has. */
export class Usage {
  readonly #answers: number;
  #prompt = 0;
  #cached = 0;
  #completion = 0;

  /** @param answers How many answers each prompt has. */
  constructor(answers: number) {
    this.#answers = answers;
  }

  add(index: number, { promptTokens, cachedTokens, tokens }: Ended): void {
    this.#completion += tokens;
    if (index % this.#answers !== 0) return;
    this.#prompt += promptTokens;
    this.#cached += cachedTokens;
  }

  toJSON(): object {
    return {
      prompt_tokens: this.#prompt,
      completion_tokens: this.#completion,
      total_tokens: this.#prompt + this.#completion,
      prompt_tokens_details: { cached_tokens: this.#cached },
    };
  }
}

/** Why an answer ended, as OpenAI says it. */
export function finishOf({ reason }: Ended): "stop" | "length" {
  return reason === "length" ? "length" : "stop";
}

/** Computes the answers, and responds. What goes wrong before the first token has a status of its own. */
export async function respond(served: Served, request: Request, asked: Asked, writer: Writer, stream: boolean): Promise<Response> {
  expectRoom(served, asked);
  const leave = served.admission.enter(asked.prompts.length), client = new AbortController();
  const onAbort = () => client.abort(new Error("the client went away"));
  request.signal.addEventListener("abort", onAbort);
  const end = () => {
    onAbort();
    leave();
    request.signal.removeEventListener("abort", onAbort);
  };
  try {
    const events = merge(
      asked.prompts.map((prompt, i) => served.batcher.generate(prompt, { ...optionsOf(asked, i), signal: client.signal })),
    );
    if (stream) return await streamed(events, writer, served.sendTimeout, end);
    for await (const event of events) writer.note(event);
    end();
    return Response.json(writer.whole());
  } catch (error) {
    end();
    throw error;
  }
}

function expectRoom({ batcher: { size } }: Served, { from, prompts }: Asked): void {
  const longest = Math.max(...prompts.map(({ length }) => length));
  if (longest <= size) return;
  throw new ApiError(400, `${from}: longer than the context: ${longest} tokens, and there is room for ${size}`, {
    code: "context_length_exceeded",
    param: from,
  });
}

/** Each answer has a seed of its own. */
function optionsOf({ generate }: Asked, index: number): GenerateOptions {
  return generate.seed === undefined ? generate : { ...generate, seed: (generate.seed + index) >>> 0 };
}

async function streamed(
  events: AsyncGenerator<Happening, void, void>,
  writer: Writer,
  patience: number,
  end: () => void,
): Promise<Response> {
  const begun = await events.next();
  const chunks = chunksOf(begun, events, writer), first = await chunks.next();
  return eventStream(first.value, chunks, patience, end);
}

async function* chunksOf(
  begun: IteratorResult<Happening, void>,
  events: AsyncGenerator<Happening, void, void>,
  writer: Writer,
): AsyncGenerator<unknown, void, void> {
  try {
    yield* writer.first();
    for (let next = begun; !next.done; next = await events.next()) yield* writer.note(next.value);
    yield* writer.last();
  } finally {
    await events.return();
  }
}
