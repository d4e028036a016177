/**
 * How Deno's FFI describes a struct that is passed by value: a list of its fields' types.
 *
 * It has no word for unions, bit-fields and packed layouts, so a record that holds one can't be passed by value.
 *
 * @module
 */

import type { BasicName, CType, RecordDeclaration, TargetName } from "../../model/model.ts";
import { TARGETS } from "../../model/targets.ts";
import { resolve } from "../../model/types.ts";

/** FFI types, and the layout that they have on any C compiler. */
interface Native {
  readonly types: readonly string[];
  readonly size: number;
  readonly align: number;
}

/** How a struct inside another is written; null for one to be spelled out. */
export type InnerNative = (record: RecordDeclaration) => string | null;

/** The FFI types of a record's fields, as TypeScript text; null where there are none that fit. */
export function nativeFields(
  record: RecordDeclaration,
  target: TargetName,
  inner: InnerNative = () => null,
): readonly string[] | null {
  return nativeRecord(record, target, inner)?.types ?? null;
}

function nativeRecord(record: RecordDeclaration, target: TargetName, inner: InnerNative): Native | null {
  if (record.kind === "union" || record.size === null || record.size === 0) return null;
  const types: string[] = [];
  let end = 0, align = 1;
  for (const field of record.fields) {
    const native = field.bitWidth === undefined ? nativeField(field.type, target, inner) : null;
    // Deno lays the fields out itself: a packed or an overaligned struct would be another one.
    if (native === null || up(end, native.align) !== field.offset) return null;
    types.push(...native.types);
    end = field.offset + native.size;
    align = Math.max(align, native.align);
  }
  return up(end, align) === record.size ? { types, size: record.size, align } : null;
}

function nativeField(type: CType, target: TargetName, inner: InnerNative): Native | null {
  const resolved = resolve(type);
  switch (resolved.kind) {
    case "basic":
      return nativeBasic(resolved.name, target);
    case "enum":
      return nativeBasic(resolved.enum.type.name, target);
    case "pointer":
      return { types: [`"pointer"`], size: 8, align: 8 };
    case "array": {
      const { length } = resolved;
      const element = length === null || length === 0 ? null : nativeField(resolved.of, target, inner);
      return element === null ? null : {
        types: Array.from({ length: length! }, () => element.types).flat(),
        size: length! * element.size,
        align: element.align,
      };
    }
    case "record": {
      const native = nativeRecord(resolved.record, target, inner);
      return native === null ? null : { ...native, types: [`{ struct: ${inner(resolved.record) ?? `[${native.types.join(", ")}]`} }`] };
    }
    default:
      return null;
  }
}

function nativeBasic(name: BasicName, target: TargetName): Native | null {
  const letter = BASIC[name];
  if (letter === undefined) return null;
  const { sizes, charSigned } = TARGETS[target];
  const size = sizes[name][0];
  if (letter === "bool") return { types: [`"bool"`], size, align: size };
  return { types: [`"${name === "char" && !charSigned ? "u" : letter}${8 * size}"`], size, align: size };
}

/** The first letter of each type's FFI name. */
const BASIC: Readonly<Record<string, string>> = {
  "_Bool": "bool",
  "char": "i",
  "signed char": "i",
  "unsigned char": "u",
  "short": "i",
  "unsigned short": "u",
  "int": "i",
  "unsigned int": "u",
  "long": "i",
  "unsigned long": "u",
  "long long": "i",
  "unsigned long long": "u",
  "float": "f",
  "double": "f",
};

function up(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}
