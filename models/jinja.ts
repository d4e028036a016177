/**
 * Chat templates, rendered by npm's `@huggingface/jinja`. Only `template.ts` imports this, when a template is first wanted.
 *
 * @module
 */

import { Template } from "@huggingface/jinja";
import { describe } from "../ffi/core/describe.ts";
import { expectOptions } from "./expect.ts";
import type { TemplateInput } from "./template.ts";

/** How many templates are kept once they were read. */
const KEPT = 16;

const templates: Map<string, Template> = new Map();

/** Renders a template; see `renderTemplate` of `template.ts`. */
export function render(source: string | null, input: TemplateInput, where: string): string {
  if (source === null || source === "") throw new Error(`${where}: there is no chat template to write the messages by`);
  if (typeof source !== "string") throw new TypeError(`${where}: expected a template's text, got ${describe(source)}`);
  expectOptions(where, input, ["messages", "tools", "addGenerationPrompt", "bosToken", "eosToken", "variables"]);
  expectMessages(input.messages, where);
  const { messages, tools, addGenerationPrompt = true, bosToken = "", eosToken = "", variables = {} } = input;
  const template = templateOf(source, where);
  try {
    const given = { messages, tools, add_generation_prompt: addGenerationPrompt, bos_token: bosToken, eos_token: eosToken };
    return template.render({ ...variables, ...given } as Record<string, unknown>);
  } catch (error) {
    throw new Error(`${where}: the template refuses these messages: ${(error as Error).message}`, { cause: error });
  }
}

function expectMessages(messages: unknown, where: string): void {
  if (!Array.isArray(messages)) throw new TypeError(`${where}: expected an array of messages, got ${describe(messages)}`);
  for (const [i, message] of messages.entries()) {
    const place = `${where}: messages[${i}]`;
    if (typeof message !== "object" || message === null) {
      throw new TypeError(`${place}: expected { role, content }, got ${describe(message)}`);
    }
    const { role, content } = message;
    if (typeof role !== "string") throw new TypeError(`${place}.role: expected a text, got ${describe(role)}`);
    // One that only calls tools has none. A list of parts would be written as JSON.
    if (typeof (content ?? "") !== "string") throw new TypeError(`${place}.content: expected a text, got ${describe(content)}`);
  }
}

function templateOf(source: string, where: string): Template {
  const known = templates.get(source);
  if (known !== undefined) return known;
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new Error(`${where}: the template can't be read: ${(error as Error).message}`, { cause: error });
  }
  if (templates.size >= KEPT) templates.delete(templates.keys().next().value!);
  templates.set(source, template);
  return template;
}
