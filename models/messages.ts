/**
 * Messages of a chat, written as a model's template says.
 *
 * @module
 */

import { Template } from "@huggingface/jinja";

/** One message. */
export interface Message {
  /** Who says it: `"system"`, `"user"`, `"assistant"`, `"tool"`, or what else the template knows. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
  /** What else the template knows, such as `tool_calls`. */
  readonly [key: string]: unknown;
}

/** What a template gets besides the messages. */
export interface TemplateInput {
  readonly tools?: readonly unknown[];
  readonly addGenerationPrompt?: boolean;
  readonly bosToken: string;
  readonly eosToken: string;
}

const templates: Map<string, Template> = new Map();

/** Renders a template. */
export function render(source: string, messages: readonly Message[], input: TemplateInput): string {
  let template = templates.get(source);
  if (template === undefined) templates.set(source, template = new Template(source));
  const { tools, addGenerationPrompt = true, bosToken, eosToken } = input;
  return template.render(
    { messages, tools, add_generation_prompt: addGenerationPrompt, bos_token: bosToken, eos_token: eosToken } as never,
  );
}
