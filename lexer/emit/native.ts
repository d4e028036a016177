/**
 * How Deno's FFI describes a struct that is passed by value: a list of its fields' types.
 *
 * It has no word for unions, bit-fields and packed layouts, so a record that holds one can't be passed by value.
 *
 * @module
 */

import type { CType, RecordDeclaration } from "../model.ts";
import { resolve } from "../types.ts";

/** The FFI types of a record's fields, as TypeScript text; null where there are none that fit. */
export function nativeFields(record: RecordDeclaration): string[] | null {
  if (record.kind === "union" || record.size === null || record.size === 0) return null;
  const types: string[] = [];
  for (const field of record.fields) {
    const native = field.bitWidth === undefined ? nativeField(field.type) : null;
    if (native === null) return null;
    types.push(...native);
  }
  return types;
}

function nativeField(type: CType): string[] | null {
  const resolved = resolve(type);
  switch (resolved.kind) {
    case "basic":
      return BASIC[resolved.name] === undefined ? null : [`"${BASIC[resolved.name]}"`];
    case "enum":
      return [`"${BASIC[resolved.enum.type.name]}"`];
    case "pointer":
      return [`"pointer"`];
    case "array": {
      const element = resolved.length === null ? null : nativeField(resolved.of);
      return element === null ? null : Array.from({ length: resolved.length! }, () => element).flat();
    }
    case "record": {
      const fields = nativeFields(resolved.record);
      return fields === null ? null : [`{ struct: [${fields.join(", ")}] }`];
    }
    default:
      return null;
  }
}

const BASIC: Readonly<Record<string, string>> = {
  "_Bool": "bool",
  "char": "i8",
  "signed char": "i8",
  "unsigned char": "u8",
  "short": "i16",
  "unsigned short": "u16",
  "int": "i32",
  "unsigned int": "u32",
  "long": "i64",
  "unsigned long": "u64",
  "long long": "i64",
  "unsigned long long": "u64",
  "float": "f32",
  "double": "f64",
};
