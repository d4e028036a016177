/**
 * The header of a safetensors file: JSON that says of each tensor its type, its shape and where its bytes are. All of it is checked.
 *
 * The format: https://huggingface.co/docs/safetensors/index#format.
 *
 * @module
 */

import { describe, printable, quote } from "../../ffi/core/describe.ts";

/** What a file says of one tensor. */
export interface SafetensorsEntry {
  readonly name: string;
  /** The file's name of the type: `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes begin and end, in the file. */
  readonly begin: number;
  readonly end: number;
}

/** Bits of an element. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...["F4"].map((dtype) => [dtype, 4] as const),
  ...["F6_E2M3", "F6_E3M2"].map((dtype) => [dtype, 6] as const),
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"].map((dtype) => [dtype, 8] as const),
  ...["U16", "I16", "F16", "BF16"].map((dtype) => [dtype, 16] as const),
  ...["U32", "I32", "F32"].map((dtype) => [dtype, 32] as const),
  ...["U64", "I64", "F64", "C64"].map((dtype) => [dtype, 64] as const),
]);

/**
 * Values that a header may have: V8 ends the process where an object has ten million keys, or its heap is full. A model of a thousand tensors has eight
 * thousand.
 */
const MOST_VALUES = 2 ** 21;

/** The key that is no tensor's. */
const METADATA = "__metadata__";

/**
 * Reads a header.
 *
 * @param start Where in the file the tensors' bytes begin.
 * @param size The file's size. Its bytes belong to one tensor each, all of them.
 * @throws {Error} If anything in it can't be.
 */
export function parseHeader(
  text: string,
  start: number,
  size: number,
): { metadata: Map<string, string>; entries: SafetensorsEntry[] } {
  expectFew(text);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    // What V8 says of it has a piece of the file in it, and the cause has the same.
    throw new Error(`the header is no JSON: ${printable((error as Error).message)}`);
  }
  if (!isRecord(header)) throw new Error(`the header is no JSON object, but ${describe(header)}`);
  const metadata = readMetadata(header[METADATA]);
  const entries = Object.entries(header).filter(([name]) => name !== METADATA).map(([name, facts]) => readEntry(name, facts, start));
  let next = start;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next) {
      throw new Error(`tensor ${quote(name)}: it begins at byte ${begin}, and the one before it ends at ${next}`);
    }
    next = end;
  }
  if (next !== size) throw new Error(`the tensors end at byte ${next}, and the file has ${size}`);
  return { metadata, entries };
}

/** Counts what begins a value outside of strings: a comma, a bracket or a brace. */
function expectFew(text: string): void {
  if (text.length <= MOST_VALUES) return;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = endOfString(text, i);
    else if ((character === "," || character === "[" || character === "{") && ++values > MOST_VALUES) {
      throw new Error(`the header has more than ${MOST_VALUES} values`);
    }
  }
}

/** Where the string ends that begins at a place; the end of a text that ends in it. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}

function readMetadata(value: unknown): Map<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!isRecord(value)) throw new Error(`${METADATA} is no JSON object, but ${describe(value)}`);
  return new Map(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== "string") throw new Error(`${METADATA}: ${quote(key)} is no string, but ${describe(text)}`);
      return [key, text];
    }),
  );
}

function readEntry(name: string, facts: unknown, start: number): SafetensorsEntry {
  const where = `tensor ${quote(name)}`;
  if (!isRecord(facts)) throw new Error(`${where}: expected { dtype, shape, data_offsets }, got ${describe(facts)}`);
  const { dtype, shape, data_offsets: offsets } = facts;
  const bits = typeof dtype === "string" ? BITS.get(dtype) : undefined;
  if (bits === undefined) throw new Error(`${where}: its dtype is ${describe(dtype)}; there are ${[...BITS.keys()].join(", ")}`);
  if (!isSizes(shape)) throw new Error(`${where}: its shape is no list of whole numbers below 2^53`);
  if (!isSizes(offsets) || offsets.length !== 2) throw new Error(`${where}: its data_offsets are no two whole numbers below 2^53`);
  const [begin, end] = offsets;
  const bytes = shape.reduce((product, n) => product * BigInt(n), BigInt(bits)), length = BigInt(end) - BigInt(begin);
  if (bytes !== length * 8n) {
    throw new Error(`${where}: ${dtype} of shape [${shape.join(", ")}] has ${bytes} bits, and its data_offsets are ${length} bytes apart`);
  }
  return { name, dtype: dtype as string, shape, begin: start + begin, end: start + end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
