/**
 * The Error of a schema that can't be made into a grammar, with the place in the schema.
 *
 * @module
 */

/**
 * A JSON schema that no grammar can say, that contradicts itself, or that isn't a schema at all.
 *
 * @example
 * ```ts
 * import { grammarOfSchema, SchemaError } from "@ggml/deno/models";
 *
 * try {
 *   grammarOfSchema({ properties: { n: { type: "integer", minimum: 5, maximum: 3 } }, required: ["n"] });
 * } catch (error) {
 *   console.log((error as SchemaError).pointer); // #/properties/n
 * }
 * ```
 */
export class SchemaError extends Error {
  /** The name that is shown before the message. */
  override readonly name = "SchemaError";
  /** Where it is in the schema: a JSON pointer as a URI fragment (RFC 6901, section 6), such as `#/properties/name`. */
  readonly pointer: string;

  /** Says what is wrong, and where: the pointer is added to the message. */
  constructor(message: string, pointer: string) {
    const [place] = pointer.split(" "); // see opposites.ts
    super(`${message} (at ${place})`);
    this.pointer = place;
  }
}
