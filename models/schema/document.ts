/**
 * A schema document: the places in it, and what `$ref` leads to.
 *
 * @module
 */

import { SchemaError } from "./error.ts";

/** A JSON schema: an object of keywords, `true` for every value, `false` for none (JSON Schema 2020-12, Core 4.3). */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** The keywords of one schema. */
export type Keywords = { readonly [keyword: string]: unknown };

/** A schema, and where it is in the document. */
export interface Place {
  readonly schema: Schema;
  /** A JSON pointer as a URI fragment, such as `#/properties/name`. */
  readonly pointer: string;
}

/** Several schemas that all have to hold of one value; none is every value. */
export type Node = readonly Place[];

/** The schema at a place, which has to be one. */
export function placeAt(schema: unknown, pointer: string): Place {
  if (typeof schema !== "boolean" && !isObject(schema)) {
    throw new SchemaError(`expected a schema, which is an object or a boolean, got ${JSON.stringify(schema)}`, pointer);
  }
  return { schema: schema as Schema, pointer };
}

/** What is under a keyword of a schema. */
export function below(pointer: string, ...keys: readonly (string | number)[]): string {
  return [pointer, ...keys.map((key) => encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1")))].join("/");
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Keywords {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One name for the same schemas, in whatever order they came. */
export function keyOf(node: Node): string {
  return [...new Set(node.map(({ pointer }) => pointer))].sort().join("\n");
}

/** A part of a reference, in which percent signs stand for what a URI can't have. */
function decoded(part: string, reference: string, pointer: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new SchemaError(`$ref: ${JSON.stringify(reference)} has a % that stands for nothing`, pointer);
  }
}

/** A schema, and what its parts are called. */
export class SchemaDocument {
  readonly root: Place;
  readonly #anchors = new Map<string, Place>();

  constructor(schema: unknown) {
    this.root = placeAt(schema, "#");
    this.#findAnchors(schema, "#", []);
  }

  #findAnchors(value: unknown, pointer: string, within: readonly unknown[]): void {
    if (typeof value !== "object" || value === null) return;
    if (within.includes(value)) throw new SchemaError("the schema holds itself as an object of JavaScript: write that as a $ref", pointer);
    const anchor = (value as Keywords).$anchor;
    if (typeof anchor === "string") this.#anchors.set(`#${anchor}`, { schema: value as Keywords, pointer });
    for (const [key, inner] of Object.entries(value)) {
      if (!key.isWellFormed()) throw new SchemaError(`the name ${JSON.stringify(key)} has half a surrogate pair`, pointer);
      this.#findAnchors(inner, below(pointer, key), [...within, value]);
    }
  }

  /** Where a reference leads to, which has to be inside of the document. */
  resolve(reference: unknown, pointer: string): Place {
    if (typeof reference !== "string") throw new SchemaError(`$ref: expected a text, got ${JSON.stringify(reference)}`, pointer);
    const { $id } = isObject(this.root.schema) ? this.root.schema : {};
    const local = typeof $id === "string" && reference.startsWith(`${$id}#`) ? reference.slice($id.length) : reference;
    const anchored = this.#anchors.get(local);
    if (anchored !== undefined) return anchored;
    if (local !== "#" && !local.startsWith("#/")) {
      throw new SchemaError(`$ref: ${JSON.stringify(reference)} leads out of the document, where nothing is looked up`, pointer);
    }
    return this.#walk(local, pointer);
  }

  #walk(reference: string, pointer: string): Place {
    let value: unknown = this.root.schema, at = "#";
    for (const part of reference.split("/").slice(1)) {
      const key = decoded(part, reference, pointer).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
        throw new SchemaError(`$ref: ${JSON.stringify(reference)} leads to nothing: ${at} has no ${JSON.stringify(key)}`, pointer);
      }
      value = (value as Keywords)[key];
      at = below(at, key);
    }
    return placeAt(value, at);
  }
}
