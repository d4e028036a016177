/**
 * Server-sent events, as OpenAI's API streams answers: a JSON object each, and `[DONE]` at the end.
 *
 * @module
 */

import { asApiError } from "./error.ts";

const encoder = new TextEncoder();

/** A response that streams what a generator gives, at the pace of the client. When that goes away, the generator is ended. */
export function eventStream(first: unknown, rest: AsyncGenerator<unknown, void, void>, onEnd: () => void): Response {
  let ended = false;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(event(first)),
    pull: async (controller) => {
      try {
        const next = await rest.next();
        controller.enqueue(next.done ? encoder.encode("data: [DONE]\n\n") : event(next.value));
        if (!next.done) return;
      } catch (error) {
        if (!ended) controller.enqueue(event(asApiError(error)));
      }
      controller.close();
      end();
    },
    cancel: async () => {
      end();
      await rest.return();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

function event(value: unknown): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
}
