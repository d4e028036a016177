/**
 * Server-sent events, as OpenAI's API streams answers: a JSON object each, and `[DONE]` at the end.
 *
 * @module
 */

import { asApiError } from "./error.ts";

const encoder = new TextEncoder();

/**
 * A response that streams what a generator gives, at the pace of the client. When that goes away, or reads nothing for too long, the generator is
 * ended.
 *
 * @param patience The most seconds to wait for a client to read.
 */
export function eventStream(first: unknown, rest: AsyncGenerator<unknown, void, void>, patience: number, onEnd: () => void): Response {
  let ended = false, waiting: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(waiting);
    if (!ended) onEnd();
    ended = true;
  };
  const send = (controller: ReadableStreamDefaultController<Uint8Array>, value: unknown) => {
    controller.enqueue(event(value));
    waiting = setTimeout(() => {
      end();
      controller.error(new Error(`the client read nothing for ${patience} s`));
      return rest.return();
    }, 1000 * patience);
    Deno.unrefTimer(waiting); // a program that drops a response unread may end
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => send(controller, first),
    pull: async (controller) => {
      clearTimeout(waiting);
      try {
        const next = await rest.next();
        if (!next.done) return send(controller, next.value);
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
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
