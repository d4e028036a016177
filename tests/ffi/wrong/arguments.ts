/**
 * Calls every function of `lib` with every kind of wrong value for each of its parameters in turn, and sets every field of every struct to
 * wrong values. Prints what isn't refused as it should be, and at the end how many calls there were.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { type Kind, type Plan, plan, type Taken } from "./plan.ts";

type Class = { new (...args: unknown[]): object };
const all = lib as unknown as Record<string, unknown>;
const classOf = (name: string) => all[name] as Class;

/** A value of the right kind, for the parameters that are not the one to go wrong. C never sees it. */
function right(kind: Kind): unknown {
  switch (kind.kind) {
    case "bool":
      return true;
    case "int":
    case "float":
      return 1;
    case "enum":
      return kind.values[0];
    case "string":
      return "text";
    case "handle":
    case "callback":
      return new (classOf(kind.name))(1n);
    case "struct":
      return new (classOf(kind.name))();
    case "data":
      return new Pointer(1n);
    case "pointers":
      return [];
    default:
      return new Pointer(1n);
  }
}

/** Values that no parameter takes but those of the kinds named. */
function odd(except: readonly string[]): unknown[] {
  const values: [string, unknown][] = [
    ["undefined", undefined],
    ["string", "1"],
    ["string", ""],
    ["object", {}],
    ["object", new Date(0)],
    ["array", [1]],
    ["symbol", Symbol("s")],
    ["boolean", true],
    ["function", () => 1],
    ["number", 1],
    ["bigint", 1n],
    ["typed array", new Float64Array(1)],
    ["handle", new lib.gguf_context(1n)],
    ["handle", new lib.ggml_tensor(1n)],
    ["callback", new lib.ggml_abort_callback(1n)],
    ["struct", new lib.ggml_init_params()],
    ["pointer", new Pointer(1n)],
  ];
  return values.filter(([kind]) => !except.includes(kind)).map(([, value]) => value);
}

/** Values that a parameter must refuse. */
function wrong({ type, nullable, nullableItems }: Taken): unknown[] {
  const nothing = nullable ? [] : [null];
  switch (type.kind) {
    case "bool":
      return [null, 0, NaN, ...odd(["boolean"])];
    case "float":
      return [null, ...odd(["number"])];
    case "int":
      return [null, ...wrongIntegers(type.bits, type.signed), ...odd(["number", ...(type.bits === 64 ? ["bigint"] : [])])];
    case "enum":
      return [null, ...wrongEnumerators(type.values), ...odd(["number"])];
    case "string":
      return [...nothing, "a\0b", ...odd(["string"])];
    case "handle":
      return [...nothing, ...odd([]).filter((value) => !(value instanceof classOf(type.name)))];
    case "callback":
      return [...nothing, ...odd([]).filter((value) => !(value instanceof classOf(type.name)))];
    case "struct":
      return [null, new Uint8Array(8), ...odd([]).filter((value) => !(value instanceof classOf(type.name)))];
    case "data":
      return [...nothing, ...wrongData(type.width)];
    case "pointers":
      return [...nothing, ...wrongPointers(type.name, nullableItems)];
    default:
      return [];
  }
}

function wrongIntegers(bits: number, signed: boolean): unknown[] {
  const values: unknown[] = [NaN, Infinity, -Infinity, 1.5, 2 ** 53, -(2 ** 53), 1e300];
  const least = signed ? -(2n ** BigInt(bits - 1)) : 0n, most = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  return bits === 64 ? [...values, least - 1n, most + 1n, ...(signed ? [] : [-1])] : [...values, Number(least) - 1, Number(most) + 1];
}

function wrongEnumerators(values: readonly number[]): unknown[] {
  const gap = values.find((value) => !values.includes(value + 1))! + 1;
  return [NaN, Infinity, values[0] + 0.5, Math.max(...values) + 1, Math.min(...values) - 1, gap, 2 ** 32, -(2 ** 31), 2 ** 53];
}

function wrongData(width: number): unknown[] {
  const values = odd(width === 0 ? ["typed array", "handle", "callback", "struct", "pointer"] : ["typed array", "pointer"]);
  return width === 0
    ? values
    : [...values, ...(width === 8 ? [] : [new Float64Array(1)]), width === 2 ? new Float32Array(1) : new Uint16Array(1)];
}

function wrongPointers(name: string | null, holes: boolean): unknown[] {
  const values = odd(["array", "typed array", "pointer"]);
  const items: unknown[] = [undefined, 1, {}, Symbol("s"), ...(holes || name === null ? [] : [null])];
  if (name !== "string") items.push("text");
  if (name === null) return [...values, new Float32Array(2), [1], [null]];
  for (const item of [new lib.gguf_context(1n), new lib.ggml_abort_callback(1n)]) {
    if (!(item instanceof (classOf(name) ?? Date))) items.push(item);
  }
  return [...values, new Float32Array(2), ...items.map((item) => [item])];
}

let calls = 0;

/** Reports a value that isn't refused by an error of the right kind which names the place. */
function refuses(attempt: () => unknown, place: string, value: unknown): void {
  calls++;
  try {
    attempt();
  } catch (error) {
    const { message } = error as Error;
    if ((error instanceof TypeError || error instanceof RangeError) && message.startsWith(place)) return;
    console.log(`${place}: ${Deno.inspect(value)} is refused by: ${(error as Error).name}: ${message}`);
    return;
  }
  console.log(`${place}: ${Deno.inspect(value)} is taken`);
}

function tryFunction({ name, parameters }: Plan): void {
  const call = all[name] as (...args: unknown[]) => unknown;
  const args = parameters.map(({ type }) => right(type));
  parameters.forEach((parameter, i) => {
    for (const value of wrong(parameter)) {
      refuses(() => call(...args.with(i, value)), `${name}(${parameter.name}`, value);
    }
  });
}

function tryStruct({ name, parameters }: Plan): void {
  const struct = new (classOf(name))() as Record<string, unknown>;
  for (const field of parameters) {
    for (const value of wrong(field)) refuses(() => struct[field.name] = value, `${name}.${field.name}`, value);
  }
}

const { functions, structs } = await plan();
functions.forEach(tryFunction);
structs.forEach(tryStruct);
console.log(`${functions.length} functions, ${structs.length} structs, ${calls} calls`);
