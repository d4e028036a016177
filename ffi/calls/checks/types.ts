/**
 * Types of numbers as checks ask about them: their sizes and routines, by ggml's own tables.
 *
 * @module
 */

import { at } from "../../core/at.ts";
import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { typeName as nameOf } from "../../load/tensor_text.ts";
import { isType } from "../../load/numbering.ts";
import type { Int } from "./say.ts";

/** What checks read of `ggml_type_traits` and, when it is first asked for, `ggml_type_traits_cpu`. */
export class Traits {
  readonly isQuantized: boolean;
  /** The bytes of a block. */
  readonly size: number;
  /** The numbers of a block. */
  readonly block: number;
  /** Whether ggml can convert to floats. */
  readonly toFloat: boolean;
  readonly #type: number;
  #cpu: Fields | null = null;

  constructor(type: number) {
    const { view, at } = fieldsOf(type, "ggml_get_type_traits", "ggml_type_traits");
    this.#type = type;
    this.isQuantized = view.getBool(at.is_quantized);
    this.size = Number(view.getBigUint64(at.type_size));
    this.block = Number(view.getBigInt64(at.blck_size));
    this.toFloat = view.getBigUint64(at.to_float) !== 0n;
  }

  /** Whether the CPU can convert floats to it. */
  get fromFloat(): boolean {
    return this.#onCpu.view.getBigUint64(this.#onCpu.at.from_float) !== 0n;
  }

  /** Whether the CPU can multiply rows of it. */
  get dot(): boolean {
    return this.#onCpu.view.getBigUint64(this.#onCpu.at.vec_dot) !== 0n;
  }

  /** The type that the other row must have then. */
  get dotType(): number {
    return this.#onCpu.view.getUint32(this.#onCpu.at.vec_dot_type);
  }

  get #onCpu(): Fields {
    return this.#cpu ??= fieldsOf(this.#type, "ggml_get_type_traits_cpu", "ggml_type_traits_cpu");
  }
}

/** What traits say of a number that is no type. */
const NONE = { isQuantized: false, size: 0, block: 0, toFloat: false, fromFloat: false, dot: false, dotType: 0 } as unknown as Traits;

const known: Traits[] = [];

/** A type's traits. A number that is no type has none. */
export function traitsOf(type: number): Traits {
  return known[type] ??= isType(type) ? new Traits(type) : NONE;
}

/** Throws unless as many numbers fill whole blocks of a type. */
export function expectBlocks(where: string, count: Int, type: number): void {
  const { block } = traitsOf(type);
  if (block > 0 && Number(count) % block === 0) return;
  throw new RangeError(`${where}: expected a multiple of ${block} (the block size of ${typeName(type)}), got ${count}`);
}

/** `ggml_type_name`. */
export function typeName(type: number): string {
  return nameOf(library(), type);
}

interface Fields {
  readonly view: Deno.UnsafePointerView;
  readonly at: Readonly<Record<string, number>>;
}

function fieldsOf(type: number, name: string, record: keyof typeof ABI.records): Fields {
  const pointer = at(library().address(name)!, ["u32"], "pointer")(type) as Deno.PointerObject;
  return { view: new Deno.UnsafePointerView(pointer), at: ABI.records[record].fields };
}
