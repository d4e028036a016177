/**
 * Language models: what llama.cpp runs, streamed, cancellable, many at once.
 *
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf");
 * using session = model.session();
 * const encoder = new TextEncoder();
 * for await (const { text } of session.generate("Call me Ishmael.", { maxTokens: 80 })) await Deno.stdout.write(encoder.encode(text));
 * ```
 *
 * That model comes with the repository, and knows Moby-Dick alone. One that was trained for conversations:
 *
 * ```ts ignore
 * using model = await loadModel("SmolLM2-135M-Instruct.Q4_1.gguf");
 * using session = model.session({ context: 2048 });
 * for await (const { text } of session.chat([{ role: "user", content: "Why is the sky blue?" }])) {
 *   await Deno.stdout.write(encoder.encode(text));
 * }
 * ```
 *
 * @module
 */

export { Batcher } from "./batcher.ts";
export { Embedder, type EmbedderOptions, type Pooling } from "./embedder.ts";
export type { EmbeddingOptions, EmbedOptions } from "./embedding_context.ts";
export type { ChatOptions, Completion, GenerateOptions } from "./generate.ts";
export type { Ended, Overflow, Piece } from "./generation.ts";
export { loadModel, type LoadModelOptions } from "./load_model.ts";
export { type BatcherOptions, type Message, Model, type ModelInfo, type SessionOptions, type TemplateOptions } from "./model.ts";
export type { Candidate, Likelihood } from "./probabilities.ts";
export { type ReasoningOptions, ReasoningSplitter, type Spoken } from "./reasoning.ts";
export { type Ranked, Reranker } from "./reranker.ts";
export type { Penalties, SamplingOptions } from "./sampling.ts";
export { grammarOfSchema, type Schema, SchemaError } from "./schema/mod.ts";
export { Session } from "./session.ts";
export type { ChatPiece, SpeechOptions } from "./speech.ts";
export { renderTemplate, type TemplateInput } from "./template.ts";
export { type Asked, type ToolCall, ToolCallReader } from "./tools.ts";
export type { TokenizeOptions } from "./vocabulary.ts";
