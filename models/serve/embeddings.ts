/**
 * `POST /v1/embeddings`.
 *
 * @module
 */

import { readTexts, tokensOf } from "./completions.ts";
import type { Served } from "./context.ts";
import { Fields } from "./fields.ts";

/** Turns texts into vectors. */
export async function embeddings(served: Served, request: Request, body: Record<string, unknown>): Promise<Response> {
  const fields = new Fields(body);
  served.expectModel(fields.text("model"));
  const texts = readTexts(fields, "input"), format = fields.text("encoding_format") ?? "float";
  if (format !== "float" && format !== "base64") throw fields.wrong("encoding_format", `expected "float" or "base64", got "${format}"`);
  fields.ignore("user");
  const leave = served.admission.enter(1);
  try {
    const { embedder, model } = served;
    fields.only("dimensions", embedder.length);
    fields.end();
    const tokens: Int32Array[] = [];
    for (const text of texts) tokens.push(await tokensOf(model, "input", text));
    const vectors = await embedder.embed(tokens, { signal: request.signal });
    const count = tokens.reduce((sum, { length }) => sum + length, 0);
    return Response.json({
      object: "list",
      data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: format === "float" ? [...vector] : base64(vector) })),
      model: served.name,
      usage: { prompt_tokens: count, total_tokens: count },
    });
  } finally {
    leave();
  }
}

function base64(vector: Float32Array<ArrayBuffer>): string {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).toBase64();
}
