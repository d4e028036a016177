/**
 * The handler: which request is answered by what.
 *
 * @module
 */

import type { Model } from "../model.ts";
import { readJson } from "./body.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { type HandlerOptions, Served } from "./context.ts";
import { embeddings } from "./embeddings.ts";
import { ApiError, asApiError } from "./error.ts";

/** Answers requests; frees what it computes with, but not the model, at the end of an `await using` block. */
export interface Handler extends AsyncDisposable {
  /** Answers one request; as `Deno.serve` takes it. It never rejects. */
  (request: Request): Promise<Response>;
}

const POSTS = { "/v1/chat/completions": chat, "/v1/completions": completions, "/v1/embeddings": embeddings } as const;

/**
 * A handler of HTTP requests that answers as OpenAI's API does, with one model: `/v1/chat/completions`, `/v1/completions`,
 * `/v1/embeddings`, `/v1/models`, and `/health`.
 *
 * Requests that come together are computed in one batch. A client that goes away ends its computation. What it understands of OpenAI's fields
 * is what a local model can do; a field that it doesn't understand is an error (status 400), never passed over.
 *
 * @param model The model. It has to live as long as the handler.
 * @param options `name`, `context`, `sequences`, `queue`, `batch`, `threads`, `deterministic`, `maxBody`, `sendTimeout`, `apiKey`, `reasoning`.
 * @returns The handler.
 * @throws {Error} If there is no memory for the context, or the model was freed.
 *
 * @example
 * ```ts ignore
 * import { loadModel } from "@ggml/deno/models";
 * import { handler } from "@ggml/deno/serve";
 *
 * using model = await loadModel("SmolLM2-135M-Instruct.Q4_1.gguf");
 * await using answer = handler(model, { sequences: 8 });
 * await Deno.serve({ hostname: "127.0.0.1", port: 8080 }, answer).finished;
 * ```
 */
export function handler(model: Model, options: HandlerOptions = {}): Handler {
  const served = new Served(model, options);
  const answer = async (request: Request): Promise<Response> => {
    try {
      return await route(served, request);
    } catch (error) {
      await request.body?.cancel().catch(() => {});
      return asApiError(error).toResponse();
    }
  };
  return Object.assign(answer, { [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() });
}

async function route(served: Served, request: Request): Promise<Response> {
  const path = urlOf(request).pathname.replace(/(?<=.)\/$/, ""), { method } = request;
  if (path === "/health") {
    served.expectModel(undefined);
    return Response.json({ status: "ok" });
  }
  expectKey(served, request);
  const models = /^\/v1\/models(?:\/(.+))?$/.exec(path);
  if (models !== null) {
    expectMethod(method, "GET");
    return Response.json(modelsOf(served, models[1]));
  }
  const post = Object.hasOwn(POSTS, path) ? POSTS[path as keyof typeof POSTS] : undefined;
  if (post === undefined) throw new ApiError(404, `there is nothing at ${path}`, { code: "not_found" });
  expectMethod(method, "POST");
  return await post(served, request, await readJson(request, served.maxBody));
}

/** Where a request goes; status 400 where the headers make no URL. */
function urlOf(request: Request): URL {
  const url = URL.parse(request.url);
  if (url === null) throw new ApiError(400, `the request's URL is none: ${request.url}`);
  return url;
}

function expectMethod(method: string, expected: string): void {
  if (method !== expected) throw new ApiError(405, `expected ${expected}, got ${method}`, { headers: { allow: expected } });
}

/** Compares all of it, so that nobody learns from the time how much of a key is right. */
function expectKey({ options: { apiKey } }: Served, request: Request): void {
  if (apiKey === undefined) return;
  const encoder = new TextEncoder(),
    given = encoder.encode(request.headers.get("authorization") ?? ""),
    right = encoder.encode(`Bearer ${apiKey}`);
  let differs = given.length ^ right.length;
  for (let i = 0; i < right.length; i++) differs |= right[i] ^ (given[i] ?? 0);
  if (differs !== 0) throw new ApiError(401, "the API key is missing or wrong", { code: "invalid_api_key" });
}

/** A name as a URL has it; one that can't be read is no model's. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function modelsOf(served: Served, name: string | undefined): object {
  const { model: { info }, created } = served;
  const model = {
    id: served.name,
    object: "model",
    created,
    owned_by: "local",
    description: info.description,
    context: info.trainedContext,
  };
  if (name === undefined) return { object: "list", data: [model] };
  served.expectModel(decoded(name));
  return model;
}
