/**
 * A tensor in a few words, for messages: its type and shape, or what it is as a node of a graph.
 *
 * It reads C's memory by addresses, since a message may be about a tensor that no handle is at hand of.
 *
 * @module
 */

import { quote } from "../core/describe.ts";
import type { Library } from "./files.ts";
import { ABI } from "../generated/layouts.js";
import { isType, operation } from "./numbering.ts";
import { decodeText } from "../core/text.ts";

const { fields } = ABI.records.ggml_tensor;

/** `GGML_MAX_DIMS`, `GGML_MAX_SRC`, `GGML_MAX_NAME`. */
const DIMENSIONS = 4, SOURCES = 10, NAME_BYTES = 64;

/** Type and shape, such as `f32 ne=[64, 32]`: without the dimensions of 1 at the end. */
export function tensorText(library: Library, address: bigint): string {
  const view = viewOf(address);
  const ne = Array.from({ length: DIMENSIONS }, (_, i) => Number(view.getBigInt64(fields.ne + 8 * i)));
  let dimensions = DIMENSIONS;
  while (dimensions > 1 && ne[dimensions - 1] === 1) dimensions--;
  return `${typeName(library, view.getUint32(fields.type))} ne=[${ne.slice(0, dimensions).join(", ")}]`;
}

/** A node's operation. */
export function operationAt(address: bigint): number {
  return operation(viewOf(address).getInt32(fields.op));
}

/** The name of a node's operation, of a unary one as `FLOOR`. */
export function operationText(library: Library, address: bigint): string {
  return call(library, "ggml_op_desc", "u64")(address);
}

/** Operation, name, type and shape, such as `SQR "squares": f32 ne=[64]`. */
export function nodeText(library: Library, address: bigint): string {
  const operation = operationText(library, address), name = nameOf(address);
  return `${operation}${name === "" ? "" : ` ${quote(name)}`}: ${tensorText(library, address)}`;
}

/** A node's sources, such as `src[0] is f32 ne=[64], src[1] is i32 ne=[3]`. */
export function sourcesText(library: Library, address: bigint): string {
  return slotsAt(address).flatMap((source, i) => source === 0n ? [] : [`src[${i}] is ${tensorText(library, source)}`]).join(", ");
}

/** The addresses of a node's sources. */
export function sourcesAt(address: bigint): bigint[] {
  return slotsAt(address).filter((source) => source !== 0n);
}

/** `src`: 0 where there is none. */
export function slotsAt(address: bigint): bigint[] {
  const view = viewOf(address);
  return Array.from({ length: SOURCES }, (_, i) => view.getBigUint64(fields.src + 8 * i));
}

/** `ggml_type_name`; the number where no type has it. */
export function typeName(library: Library, type: number): string {
  return typeNames[type] ??= isType(type) ? call(library, "ggml_type_name", "i32")(type) : String(type);
}

const typeNames: string[] = [];

function nameOf(address: bigint): string {
  const bytes = new Uint8Array(viewOf(address).getArrayBuffer(NAME_BYTES, fields.name));
  const end = bytes.indexOf(0);
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

function viewOf(address: bigint): Deno.UnsafePointerView {
  return new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
}

const bound = new Map<string, (argument: number | bigint) => Deno.PointerValue>();

/** A function that gives a C string, bound when it is first needed. */
function call(library: Library, name: string, parameter: "i32" | "u64"): (argument: number | bigint) => string {
  let symbol = bound.get(name);
  if (symbol === undefined) {
    symbol = library.symbol(name, { parameters: [parameter], result: "pointer" }) as (argument: number | bigint) => Deno.PointerValue;
    bound.set(name, symbol);
  }
  return (argument) => {
    const pointer = symbol(argument);
    return pointer === null ? String(argument) : Deno.UnsafePointerView.getCString(pointer);
  };
}
