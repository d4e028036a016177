/**
 * Language models: what a program needs around libllama.
 *
 * @module
 */

export { grammarOfSchema, type Schema, SchemaError } from "./schema/mod.ts";
