/**
 * A server of a tiny model, and a client of OpenAI's that asks it.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import OpenAI from "openai";
import { type HandlerOptions, serve, type Server } from "@ggml/deno/serve";
import { loadModel, type Model } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { writeByteLlama } from "./byte_llama.ts";
import { folder } from "./models.ts";

/** A template for chats, with tools. */
export const TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}" +
  "{% if tools %}<tool_call>{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

const quiet = onLog(() => {}); // C warns of contexts shorter than the model was trained for
addEventListener("unload", () => quiet[Symbol.dispose]());

/** The name of the model, the tokens that a server has room for, and what it is asked. */
export const NAME = "bytes", CONTEXT = 512, MESSAGES = [{ role: "user", content: "Why is the sky blue?" }] as const;

/** The byte model, with a template for chats. */
export function byteModel(template: string = TEMPLATE): Promise<Model> {
  const path = `${folder}/${NAME}.gguf`;
  writeByteLlama(path, { template });
  return loadModel(path);
}

/** A server of the byte model, and a client of OpenAI's that asks it. */
export async function served(
  test: (client: OpenAI, server: Server, model: Model) => Promise<void>,
  options: HandlerOptions = {},
  template: string = TEMPLATE,
): Promise<void> {
  await using model = await byteModel(template);
  await using server = serve(model, { port: 0, context: CONTEXT, threads: 1, ...options });
  await test(clientOf(server), server, model);
}

/** A client of OpenAI's that asks a server. */
export function clientOf({ url }: Server, apiKey: string = "none"): OpenAI {
  return new OpenAI({ baseURL: url, apiKey, maxRetries: 0 });
}

/** What fails of a request: its status, and what the body says. */
export async function failure(
  request: PromiseLike<unknown>,
): Promise<{ status: number | undefined; message: string; code: unknown; param: unknown }> {
  const error = await assertRejects(() => Promise.resolve(request), OpenAI.APIError);
  const { status, message, code, param } = error;
  return { status, message, code, param };
}
