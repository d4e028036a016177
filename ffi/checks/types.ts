/**
 * Types of numbers as checks ask about them: their sizes and routines, by ggml's own tables.
 *
 * @module
 */

import { ABI } from "../layouts.js";
import { library } from "../library.ts";
import { typeName as nameOf } from "../tensor_text.ts";

/** What checks read of `ggml_type_traits` and `ggml_type_traits_cpu`. */
export interface Traits {
  readonly isQuantized: boolean;
  /** The bytes of a block. */
  readonly size: number;
  /** The numbers of a block. */
  readonly block: number;
  /** Whether ggml can convert to floats, convert from them, and multiply rows. */
  readonly toFloat: boolean;
  readonly fromFloat: boolean;
  readonly dot: boolean;
}

const known: Traits[] = [];

/** A type's traits. A number that is no type has none. */
export function traitsOf(type: number): Traits {
  return known[type] ??= read(type);
}

/** `ggml_type_name`. */
export function typeName(type: number): string {
  return nameOf(library(), type);
}

const NONE: Traits = { isQuantized: false, size: 0, block: 0, toFloat: false, fromFloat: false, dot: false };

function read(type: number): Traits {
  if (!(type >= 0 && type < ABI.enums.ggml_type.GGML_TYPE_COUNT)) return NONE;
  const base = fieldsOf(type, "ggml_get_type_traits", "ggml_type_traits");
  const cpu = fieldsOf(type, "ggml_get_type_traits_cpu", "ggml_type_traits_cpu");
  const isThere = ({ view, at }: Fields, field: string) => view.getBigUint64(at[field]) !== 0n;
  return {
    isQuantized: base.view.getBool(base.at.is_quantized),
    size: Number(base.view.getBigUint64(base.at.type_size)),
    block: Number(base.view.getBigInt64(base.at.blck_size)),
    toFloat: isThere(base, "to_float"),
    fromFloat: isThere(cpu, "from_float"),
    dot: isThere(cpu, "vec_dot"),
  };
}

interface Fields {
  readonly view: Deno.UnsafePointerView;
  readonly at: Readonly<Record<string, number>>;
}

function fieldsOf(type: number, name: string, record: keyof typeof ABI.records): Fields {
  const traits = library().symbol(name, { parameters: ["u32"], result: "pointer" }) as (type: number) => Deno.PointerObject;
  return { view: new Deno.UnsafePointerView(traits(type)), at: ABI.records[record].fields };
}
