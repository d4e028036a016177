/**
 * Libraries of which nothing is known but a name: how a module that `generate` wrote opens one, and finds functions and variables in it.
 *
 * Each symbol is looked up by itself, when it is first used: a library may lack some that its headers declare.
 *
 * @module
 */

import type { AnyFunction } from "./callback.ts";
import { Pointer } from "./pointer.ts";
import { type Bind, warming } from "./warming.ts";

/** The files that were opened, by the names of the libraries. */
const files = new Map<string, string>();

/** Opens a library. Gives the file; one error lists all that were tried. */
function open(name: string): string {
  const opened = files.get(name);
  if (opened !== undefined) return opened;
  const tried: string[] = [];
  for (const candidate of candidates(name)) {
    try {
      Deno.dlopen(candidate, {});
      files.set(name, candidate);
      return candidate;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const reason = (error as Error).message.replace(/^(Could not open library: )+/, "");
      tried.push(reason.startsWith(`${candidate}: `) ? `  ${reason}` : `  ${candidate}: ${reason}`);
    }
  }
  throw new Error(`no library ${name}; tried:\n${tried.join("\n")}\ngenerate takes a file's name or path, too: --library libc.so.6`);
}

/** File names for a library: a path or file name as it is, else what this system makes of the name. */
function candidates(name: string): string[] {
  if (/[/\\]|\.(so|dylib|dll)(\.|$)/.test(name)) return [name];
  const stem = name.startsWith("lib") ? name : `lib${name}`;
  if (Deno.build.os === "windows") return [`${name}.dll`, `${stem}.dll`];
  return [`${stem}.${Deno.build.os === "darwin" ? "dylib" : "so"}`];
}

/** A function, or the address of a variable. */
function lookUp(library: string, name: string, definition: Deno.ForeignFunction | Deno.ForeignStatic): unknown {
  const file = open(library);
  try {
    return Deno.dlopen(file, { [name]: definition }).symbols[name];
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith(`Failed to register symbol ${name}`)) throw error;
    throw new Error(`${name} is not in the library ${file}: ${error.message.replace(/^.*Could not obtain symbol from the library: /, "")}`);
  }
}

/** Binds the functions of a library. */
export function binder(library: string): Bind {
  return (name, parameters, result, replace, isApart = false) => {
    const pointer = lookUp(library, name, { type: "pointer" }) as Deno.PointerValue;
    const bind = () => lookUp(library, name, { parameters, result }) as AnyFunction;
    return warming(BigInt(Deno.UnsafePointer.value(pointer)), parameters, result, bind, replace, isApart);
  };
}

/** Finds the variables of a library; the memory of each has `size` bytes. */
export function variablesOf(library: string): (name: string, size: number) => Pointer {
  const known = new Map<string, Pointer>();
  return (name, size) => {
    let found: Pointer | null | undefined = known.get(name);
    if (found === undefined) {
      found = Pointer.from(lookUp(library, name, { type: "pointer" }) as Deno.PointerValue);
      if (found === null) throw new Error(`${name} is at the address 0 of the library ${open(library)}`);
      found.$view = new DataView(found.bytes(size).buffer);
      known.set(name, found);
    }
    return found;
  };
}
