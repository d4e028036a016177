/**
 * Chat templates: messages written as a model was trained to read them.
 *
 * Templates are Jinja, as Hugging Face's `transformers` renders them; npm's `@huggingface/jinja` does. To load that takes longer than all else
 * of this room, so that it is imported when a template is first wanted.
 *
 * @module
 */

import type { Message } from "./messages.ts";

/** What a template gets. */
export interface TemplateInput {
  /** The conversation. */
  readonly messages: readonly Message[];
  /** The tools that the model may ask for, each as `{ type: "function", function: { name, description, parameters } }`. */
  readonly tools?: readonly unknown[];
  /** True, the default, to begin the model's answer. */
  readonly addGenerationPrompt?: boolean;
  /** The text of the token that begins a text; "" by default. */
  readonly bosToken?: string;
  /** The text of the token that ends a text; "" by default. */
  readonly eosToken?: string;
  /** What else the template asks for, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

let jinja: typeof import("./jinja.ts") | null = null;

/** Loads what renders templates. */
export async function loadTemplates(): Promise<void> {
  jinja ??= await import("./jinja.ts");
}

/** {@linkcode renderTemplate} for who has waited for {@linkcode loadTemplates}. */
export function renderLoaded(source: string | null, input: TemplateInput, where: string): string {
  if (jinja === null) throw new Error(`${where}: what renders templates isn't loaded: loadModel does that`);
  return jinja.render(source, input, where);
}

/**
 * Renders a chat template.
 *
 * @param source The template's text, such as a model's file has under `tokenizer.chat_template`; null where there is none.
 * @param input The messages, and what else the template is given.
 * @returns The prompt, as a promise. It begins with the text of BOS if the template says so: tokenize it without adding one.
 * @throws {TypeError} If the messages are no array of messages of a role and a text.
 * @throws {Error} If there is no template, it can't be read, it refuses the messages (`raise_exception`), or asks for what it wasn't given. All as a rejection.
 *
 * @example
 * ```ts
 * import { renderTemplate } from "@ggml/deno/models";
 *
 * const source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
 * console.log(await renderTemplate(source, { messages: [{ role: "user", content: "Hello" }] }));
 * // <|user|>Hello
 * // <|assistant|>
 * ```
 */
export async function renderTemplate(source: string | null, input: TemplateInput): Promise<string> {
  await loadTemplates();
  return renderLoaded(source, input, "renderTemplate");
}
