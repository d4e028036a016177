/**
 * The files that make up one ggml: opens them and looks symbols up in them.
 *
 * A build of ggml is one file or several (`ggml-base`, a `ggml-cpu-…` a processor, `ggml`, `llama`). A symbol is looked for in each in turn
 * when it is first called, so that start-up pays for what it uses: opening everything costs 30 ms, one symbol 0.06. Which build it is, and
 * that there is one in a process, is the business of `library.ts`.
 *
 * @module
 */

import { at, type AtAddress } from "../core/at.ts";
import type { AnyFunction } from "../core/callback.ts";
import { warming } from "../core/warming.ts";
import { CPU_VARIANTS, fileNames, folderOf, isLibraryFile, type Place, settled } from "./find.ts";
import { differenceOf, MARKS } from "./history.ts";
import { ABI } from "../generated/layouts.js";
import { invoker } from "../native/invoke.ts";
import { whetherThere, withMachine } from "./machine.ts";
import { needsOf } from "./needs.ts";
import { lackedBits } from "./processor.ts";

/** A path that was tried and why it didn't do. */
interface Attempt {
  readonly path: string;
  readonly reason: string;
}

/** The parts of a split build that any has, in the order in which symbols are looked for. Behind them come the backends that are used. */
const PARTS = ["ggml-cpu", "ggml-base", "ggml", "llama"] as const;

const POINTER = { type: "pointer" } as const;

/** The files of one ggml. */
export class Library {
  readonly place: Place;
  /** The file that was named, where one was. */
  readonly #named: string | null;
  /** Where the parts are, with a separator at its end; "" for a name that the system finds by itself. */
  readonly folder: string;
  readonly #parts: Map<string, string | null> = new Map();
  /** The backends' libraries that C was told to load, wherever they are. */
  readonly #backends: string[] = [];
  readonly #attempts: Attempt[] = [];
  readonly #addresses: Map<string, bigint | null> = new Map();
  #version: string | null | undefined;
  cpu: { readonly variant: string; readonly score: number } | null = null;
  /** True once a function of llama's was looked up. */
  usesLlama = false;
  /** Called before the first one is. */
  beforeLlama: (() => void) | null = null;
  /** `ggml_tensor_overhead()`: what a library that is ggml can be told by. */
  readonly tensorOverhead: number;

  constructor(place: Place) {
    const named = isLibraryFile(place.path);
    this.#named = named ? place.path : null;
    this.place = { path: settled(place.path), source: place.source };
    this.folder = named ? folderOf(place.path) : this.place.path;
    if (named) this.#openNamed(place.path);
    else this.#part("ggml-base"); // before the others, which are linked with it: see whyNotWith
    const overhead = this.findOnce("ggml_tensor_overhead", [], "usize");
    if (overhead === undefined) throw this.#loadError();
    this.tensorOverhead = Number(overhead());
  }

  /** The files in use so far. */
  get files(): string[] {
    const files = this.#named === null ? [] : [this.#named];
    for (const part of new Set([...PARTS, ...this.#parts.keys()])) {
      const file = this.#parts.get(part);
      if (file && !files.includes(file)) files.push(file);
    }
    return [...files, ...this.#backends.filter((file) => !files.includes(file))];
  }

  /** What the library says of itself, null where it is too old to say. */
  get version(): string | null {
    if (this.#version === undefined) {
      const version = this.findOnce("ggml_version", [], "pointer");
      this.#version = version === undefined ? null : Deno.UnsafePointerView.getCString(version()!);
    }
    return this.#version;
  }

  /**
   * A function of the library. Throws an Error that names it, the library and its version if the library hasn't got it, or has another of that name.
   *
   * @param release The release whose function is meant.
   */
  symbol(name: string, definition: Deno.ForeignFunction, release: string | null = ABI.release): unknown {
    const found = this.find(name, definition);
    this.#expect(name, found !== undefined, release);
    return found;
  }

  /** As {@linkcode symbol}, by its address until it was called some times: `replace` is given the symbol then. */
  warming(
    name: string,
    parameters: readonly Deno.NativeType[],
    result: Deno.NativeResultType,
    replace: (bound: AnyFunction) => void,
    isApart: boolean,
    release: string | null = ABI.release,
  ): AnyFunction {
    const address = this.address(name);
    this.#expect(name, address !== null, release);
    const bind = () => this.find(name, { parameters, result }) as AnyFunction;
    return warming(address!, parameters, result, bind, replace, isApart, () => invoker(this, address!, parameters, result));
  }

  /** Throws if a function was not found, or is another one of that name. */
  #expect(name: string, found: boolean, release: string | null): void {
    if (!found) throw this.missing(name);
    const difference = differenceOf(name, release, this.version);
    if (difference === null) return;
    throw new Error(
      `${difference}. Load a library of ggml ${release}, or bindings of this one's release; looked in ${this.files.join(", ")}`,
    );
  }

  /** The error for a function that the library hasn't got. */
  missing(name: string): Error {
    const version = this.version;
    const how = backendsFor(name).includes("ggml-rpc") ? `\n${HOW_TO_BUILD_RPC}` : "";
    const parts = [...(name.startsWith("llama_") ? ["llama"] : []), ...backendsFor(name)];
    const files = parts.filter((part) => !this.#parts.get(part)).flatMap((part) => [...fileNames(part), ...builtOf(part)]).map((file) =>
      this.folder + file
    );
    const tried = this.#attempts.filter(({ path }) => files.includes(path)).map(({ path, reason }) => `\n  ${path}: ${reason}`);
    if (tried.length > 0 && this.folder !== "" && this.place.source !== "npm" && !mayList(this.folder)) {
      const marks = [...new Set(MARKS)].join("|");
      tried.push(`\n  the same with .${marks} in their names: not there; --allow-read=${this.folder} is needed to look for others`);
    }
    return new Error(
      `${name} is not in the loaded library, ${version === null ? "a ggml too old to say its version" : `ggml ${version}`} ` +
        `(the bindings are of ${ABI.release ?? "a ggml that didn't say its version"}); looked in ${this.files.join(", ")}${
          tried.join("")
        }${how}`,
    );
  }

  /** Has symbols looked for in the library of a backend, too, which C has loaded. */
  alsoIn(path: string): void {
    if (this.files.includes(path) || whyNot(path) !== null) return;
    pin(path);
    this.#backends.push(path);
    for (const [name, address] of this.#addresses) if (address === null) this.#addresses.delete(name); // it may be there now
  }

  /** A function of the library, undefined if it hasn't got it. */
  find(name: string, definition: Deno.ForeignFunction | Deno.ForeignStatic): unknown {
    this.#noteLlama(name);
    for (const file of this.#filesFor(name)) {
      const found = lookUp(file, name, definition);
      if (found !== undefined) return found;
    }
  }

  /** As {@linkcode find}, for a function that is called a few times: a trampoline costs as much as a hundred calls without one. */
  findOnce<const P extends readonly Deno.NativeType[], const R extends Deno.NativeResultType>(
    name: string,
    parameters: P,
    result: R,
  ): AtAddress<P, R> | undefined {
    const address = this.address(name);
    return address === null ? undefined : at(address, parameters, result);
  }

  /** The files to look in for a function, likeliest first; each is opened when it is its turn. */
  *#filesFor(name: string): Generator<string> {
    if (this.#named !== null) yield this.#named;
    for (const part of partsFor(name)) {
      const file = this.#part(part);
      if (file !== null) yield file;
    }
    yield* this.#backends;
  }

  /** The address of a function, of the library or of what it depends on (the C library, except on Windows); null if there is none. */
  address(name: string): bigint | null {
    let address = this.#addresses.get(name);
    if (address === undefined) this.#addresses.set(name, address = this.#lookUpAddress(name));
    return address;
  }

  #lookUpAddress(name: string): bigint | null {
    this.#noteLlama(name);
    for (const file of this.#filesFor(name)) {
      const found = lookUpAddress(file, name);
      if (found !== null) return found;
    }
    return null;
  }

  #noteLlama(name: string): void {
    if (this.usesLlama || !name.startsWith("llama_")) return;
    this.usesLlama = true;
    this.beforeLlama?.();
  }

  #openNamed(path: string): void {
    const linked = ["ggml-base", "ggml"].flatMap((part) => fileNames(part)).map((file) => this.folder + file);
    const reason = whyNotWith(path, linked);
    if (reason === null) return pin(path);
    this.#attempts.push({ path, reason });
    throw this.#loadError();
  }

  /** The file of a part, looked for in the folder when it is first needed; null if there is none. */
  #part(part: string): string | null {
    let file = this.#parts.get(part);
    if (file === undefined) {
      if (part === "llama") this.#part("ggml"); // which it is linked with
      file = (part === "ggml-cpu" ? this.#bestCpuVariant() : null) ?? this.#firstThatOpens(fileNames(part)) ??
        this.#firstThatOpens([...this.#releasesOf(part), ...builtOf(part)]) ?? this.#withKnownMark(part);
      this.#parts.set(part, file);
      if (file !== null) pin(file);
    }
    return file;
  }

  /** The files of a part that have another release in their names than the pinned one. */
  #releasesOf(part: string): string[] {
    if (this.place.source === "npm") return [];
    const known = fileNames(part), pattern = new RegExp(`^(?:lib)?${part}(?:\\.[^/]+)?\\.(?:so|dylib|dll)(?:\\.[\\d.]+)?$`);
    return namesIn(this.folder).filter((name) => pattern.test(name) && !known.includes(name));
  }

  /** The files of a part where the folder may not be read: those of the releases that are known. */
  #withKnownMark(part: string): string | null {
    if (part !== "ggml" && part !== "llama" || this.folder === "" || this.place.source === "npm" || mayList(this.folder)) return null;
    const [first] = fileNames(part);
    return MARKS.map((mark) => this.folder + first.replace(/(\.\w+)$/, `.${mark}$1`)).find((path) => whyNot(path) === null) ?? null;
  }

  #firstThatOpens(names: readonly string[]): string | null {
    for (const name of names) {
      const path = this.folder + name;
      const reason = whyNot(path);
      if (reason === null) return path;
      this.#attempts.push({ path, reason });
    }
    return null;
  }

  /**
   * The CPU variant with the highest score, as ggml's own registry chooses it.
   *
   * A variant scores 0 on a processor that can't run it and otherwise always the same, so the known ones are tried from the best down, those last that
   * need what the processor lacks, and the first that runs wins, unless its score isn't the known one: then the scheme has changed and all are asked.
   */
  #bestCpuVariant(): string | null {
    const known = new Map(CPU_VARIANTS[Deno.build.arch] ?? []);
    // The pinned package holds the known ones and no others.
    const unknown = this.place.source === "npm" ? [] : listVariants(this.folder).filter((variant) => !known.has(variant));
    let best: { variant: string; score: number; path: string } | null = null;
    const ask = (variant: string): number => {
      for (const name of fileNames(`ggml-cpu-${variant}`)) {
        const path = this.folder + name;
        const score = scoreOf(path);
        if (score === null) continue;
        if (score > (best?.score ?? 0)) best = { variant, score, path };
        return score;
      }
      return 0;
    };
    for (const variant of unknown) ask(variant);
    const base = this.#part("ggml-base"), lacked = base === null ? 0 : lackedBits(base);
    const { able, unable } = Object.groupBy(
      [...known].sort((a, b) => b[1] - a[1]),
      ([, score]) => ((score - 1) & lacked) === 0 ? "able" : "unable",
    );
    for (const [variant, expected] of [...able ?? [], ...unable ?? []]) {
      if (ask(variant) === expected) break;
    }
    best = best as { variant: string; score: number; path: string } | null;
    if (best === null) return null;
    this.cpu = { variant: best.variant, score: best.score };
    return best.path;
  }

  #loadError(): Error {
    const { path, source } = this.place;
    const opened = this.files.filter((file) => !this.#attempts.some((attempt) => attempt.path === file));
    const tried = [
      ...this.#attempts.map(({ path, reason }) => ({ path, reason: withMachine(path, reason) })),
      ...opened.map((path) => ({ path, reason: "opens, but is not ggml: it has no ggml_tensor_overhead" })),
    ];
    return new Error(
      [
        `no ggml library at ${path} (from ${source})`,
        ...tried.map(({ path, reason }) => `  ${path}: ${reason}`),
        ...needsOf(tried.map(({ reason }) => reason)),
        ...whetherThere(tried),
      ].join("\n"),
    );
  }
}

/** The parts to look in for a function, likeliest first. Opening `llama` takes long, so nothing else is looked for in it. */
function partsFor(name: string): readonly string[] {
  return name.startsWith("llama_") ? ["llama"] : ["ggml-cpu", "ggml-base", "ggml", ...backendsFor(name)];
}

/** Backends whose functions have another word in their names than their libraries, which may be several. */
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  vk: ["ggml-vulkan"],
  cuda: ["ggml-cuda", "ggml-hip", "ggml-musa"],
};

/** The backends' libraries that may have a function: `ggml-rpc` for `ggml_backend_rpc_init` and `ggml_backend_is_rpc`. */
function backendsFor(name: string): readonly string[] {
  const word = /^ggml_backend_(?:(?:buft_|buffer_)?is_)?([a-z]+)/.exec(name)?.[1];
  if (word === undefined || IN_BASE.has(word)) return [];
  return Object.hasOwn(BACKENDS, word) ? BACKENDS[word] : [`ggml-${word}`];
}

/** How to get the backend that the prebuilt packages lack. */
export const HOW_TO_BUILD_RPC =
  "The prebuilt packages have no RPC backend; `deno task build:rpc` in a clone of this repository builds it, with a C++ compiler on Linux.";

/** Where `deno task build:rpc` puts the library of a backend, in the folder of the others. */
function builtOf(part: string): string[] {
  return part === "ggml-rpc" ? fileNames(part).slice(0, 1).map((name) => `rpc/${name}`) : [];
}

/** Words after `ggml_backend_` that are no backend's. */
const IN_BASE = new Set([
  "buffer",
  "buft",
  "compare",
  "cpu",
  "dev",
  "event",
  "graph",
  "load",
  "meta",
  "reg",
  "register",
  "sched",
  "tensor",
]);

/** Why a file can't be opened as a library; null if it can. Permission errors are thrown: they are not about the file. */
export function whyNot(path: string): string | null {
  try {
    Deno.dlopen(path, {});
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return String((error as Error).message).replace(/^(Could not open library: )+/, "").replace(`${path}: `, "");
  }
}

/**
 * Why a file can't be opened as a library while those are open that it is linked with; null if it can. They are only opened if it doesn't
 * find them by itself, and closed again if that was in vain.
 *
 * Linux and macOS look for them beside the file, which says so. Windows looks beside the program, which is Deno, in its own folders and on
 * the path, and takes what is open already and has the name.
 */
export function whyNotWith(path: string, linked: readonly string[]): string | null {
  const reason = whyNot(path);
  if (reason === null || !LACKS_ANOTHER.test(reason)) return reason;
  const opened = linked.flatMap((file) => {
    try {
      return [Deno.dlopen(file, {})];
    } catch {
      return []; // it isn't there
    }
  });
  const still = whyNot(path);
  if (still !== null) { for (const library of opened) library.close(); }
  return still;
}

/**
 * What systems say of a file that is linked with one of ggml's which they don't find; Windows says the same of one that isn't there itself.
 */
const LACKS_ANOTHER = /ggml|os error 126/;

/** `RTLD_NOW`, and the flag that has a library stay: macOS numbers it otherwise. */
const STAYS = 2 | (Deno.build.os === "darwin" ? 0x80 : 0x1000);

/**
 * Has a library stay in memory until the process ends. Deno lets go of it when the isolate ends, before that: ggml's threads (of a pool
 * that nobody freed, of a GPU's driver) would then run in code that isn't there any more.
 */
function pin(path: string): void {
  if (Deno.build.os === "windows") {
    Deno.dlopen("kernel32.dll", { LoadLibraryW: { parameters: ["buffer"], result: "pointer" } }).symbols
      .LoadLibraryW(Uint16Array.from(`${path}\0`, (c) => c.charCodeAt(0)));
    return;
  }
  linker ??= findLinker(path);
  const handle = linker?.dlopen(cString(path), STAYS) ?? 0n;
  if (handle !== 0n) handles.set(path, handle);
}

/** The C library's functions for libraries. */
interface Linker {
  readonly dlopen: AtAddress<readonly ["buffer", "i32"], "u64">;
  readonly dlsym: AtAddress<readonly ["u64", "buffer"], "u64">;
}

let linker: Linker | null = null;
/** What `dlopen` gave for each library that stays. */
const handles: Map<string, bigint> = new Map();

/** The C library's functions, which a library finds, being linked with it. */
function findLinker(path: string): Linker | null {
  const dlopen = lookUpAddress(path, "dlopen"), dlsym = lookUpAddress(path, "dlsym");
  if (dlopen === null || dlsym === null) return null;
  return { dlopen: at(dlopen, ["buffer", "i32"], "u64"), dlsym: at(dlsym, ["u64", "buffer"], "u64") };
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The address of a function of an open library, null if the library hasn't got it: by the system's own function, which takes a tenth of the time. */
function lookUpAddress(path: string, name: string): bigint | null {
  const handle = handles.get(path);
  if (handle !== undefined) return linker!.dlsym(handle, cString(name)) || null;
  const pointer = lookUp(path, name, POINTER) as Deno.PointerValue | undefined;
  return pointer === undefined ? null : BigInt(Deno.UnsafePointer.value(pointer));
}

/** A function of an open library; undefined if the library hasn't got it. */
function lookUp(path: string, name: string, definition: Deno.ForeignFunction | Deno.ForeignStatic): unknown {
  try {
    return Deno.dlopen(path, { [name]: definition }).symbols[name];
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(`Failed to register symbol ${name}: Could not obtain`)) return undefined;
    throw error;
  }
}

/** How well a CPU variant suits this processor, 0 if it doesn't run on it; null if there is no such file. */
export function scoreOf(path: string): number | null {
  try {
    const { symbols } = Deno.dlopen(path, { ggml_backend_score: POINTER });
    return at(BigInt(Deno.UnsafePointer.value(symbols.ggml_backend_score)), [], "i32")();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return null;
  }
}

/** The CPU variants in a folder, as far as it may be read. */
export function listVariants(folder: string): string[] {
  return namesIn(folder).flatMap((name) => /^(?:lib)?ggml-cpu-(.+)\.(?:so|dll|dylib)$/.exec(name)?.[1] ?? []);
}

function mayList(folder: string): boolean {
  return Deno.permissions.querySync({ name: "read", path: folder }).state === "granted";
}

/** The names of the files in a folder, as far as it may be read. */
function namesIn(folder: string): string[] {
  if (folder === "") return []; // a bare name: the system knows where it is
  if (!mayList(folder)) return [];
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch {
    return []; // not a folder: opening its files says so better
  }
}
