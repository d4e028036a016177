/**
 * Messages of a chat.
 *
 * @module
 */

/** One message. */
export interface Message {
  /** Who says it: `"system"`, `"user"`, `"assistant"`, `"tool"`, or what else the template knows. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
  /** What else the template knows, such as `tool_calls`. */
  readonly [key: string]: unknown;
}
