/**
 * Messages as OpenAI's API has them, as templates have them.
 *
 * @module
 */

import type { Message } from "../messages.ts";
import { type Fields, show } from "./fields.ts";

export function readMessages(fields: Fields): Message[] {
  const messages = fields.list("messages");
  if (messages === undefined || messages.length === 0) throw fields.wrong("messages", "expected an array of messages that isn't empty");
  return messages.map((message, i) => messageOf(message, fields, `messages[${i}]`));
}

const ROLES = ["system", "developer", "user", "assistant", "tool"];

function messageOf(value: unknown, fields: Fields, at: string): Message {
  const message = (value ?? {}) as Record<string, unknown>, { role, content, tool_calls, ...others } = message;
  if (typeof role !== "string" || !ROLES.includes(role)) {
    throw fields.wrong(`${at}.role`, `expected ${ROLES.map(show).join(", ")}, got ${show(role)}`);
  }
  const calls = tool_calls === undefined || tool_calls === null ? {} : { tool_calls: callsOf(tool_calls, fields, `${at}.tool_calls`) };
  return { ...others, role: role === "developer" ? "system" : role, content: textOf(content, fields, `${at}.content`), ...calls };
}

/** A content is a text, or a list of parts that are texts. */
function textOf(content: unknown, fields: Fields, at: string): string {
  if (typeof content === "string") return content;
  if (content === undefined || content === null) return "";
  if (!Array.isArray(content)) throw fields.wrong(at, `expected a text or an array of parts, got ${show(content)}`);
  return content.map((part, i) => {
    if (part?.type === "text" && typeof part.text === "string") return part.text;
    throw fields.wrong(`${at}[${i}]`, `only parts of type "text" are understood, got ${show(part)}`);
  }).join("");
}

/** Calls that were made: a client has their arguments as a text, a template as an object. */
function callsOf(calls: unknown, fields: Fields, at: string): unknown[] {
  if (!Array.isArray(calls)) throw fields.wrong(at, `expected an array of calls, got ${show(calls)}`);
  return calls.map((call, i) => {
    try {
      return { ...call, function: { ...call.function, arguments: JSON.parse(call.function.arguments) } };
    } catch {
      throw fields.wrong(`${at}[${i}]`, `expected { id, type: "function", function: { name, arguments } } with JSON, got ${show(call)}`);
    }
  });
}
