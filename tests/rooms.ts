/**
 * The rooms' rules: what each folder may import, what tests may reach into, who may import each other; and why.
 *
 * @module
 */

/** A rule: whoever lies in `room` may import what begins with one of `may`. The first that fits counts. */
export interface Rule {
  readonly room: string;
  readonly may: readonly string[];
  readonly why: string;
}

/** The data among the generated files: it imports nothing but `ffi/core/domain.ts`. */
const DATA = ["ffi/generated/layouts.js", "ffi/generated/enums.js", "ffi/generated/constants.js"];

const STAGES = ["lexer/text/", "lexer/tokens/", "lexer/model/", "lexer/preprocess/", "lexer/parse/"];
const FRONT_END = [...STAGES, "lexer/mod.ts"];

export const RULES: readonly Rule[] = [
  ...STAGES.map((room, i) => ({
    room,
    may: STAGES.slice(0, i + 1),
    why: "data flows one way through the front end: text, tokens, model, preprocess, parse",
  })),
  { room: "lexer/mod.ts", may: STAGES, why: "the front end's entry point knows of no writer and nothing of ggml" },
  {
    room: "lexer/emit/products/runtime.ts",
    may: ["ffi/core/"],
    why: "it imports the core's files as text, to be copied beside a generated module: nothing of them runs here",
  },
  {
    room: "lexer/emit/",
    may: [...FRONT_END, "lexer/emit/"],
    why: "what writes files knows the front end, and nothing of ggml's releases and trees",
  },
  { room: "lexer/", may: ["lexer/"], why: "lexer/ imports nothing of ours outside itself" },
  {
    room: "ffi/core/",
    may: ["ffi/core/"],
    why: "the core knows nothing of ggml: what it needs of a library is provided (ffi/core/host.ts)",
  },
  {
    room: "ffi/native/",
    may: ["ffi/core/", "ffi/native/", "ffi/generated/native_code.js", ...DATA],
    why: "the machine code is set when a library is loaded: it can't need what loads one",
  },
  { room: "ffi/load/", may: ["ffi/core/", "ffi/native/", "ffi/load/", ...DATA], why: "to load a library takes nothing that calls it" },
  {
    room: "ffi/calls/",
    may: ["ffi/core/", "ffi/native/", "ffi/load/", "ffi/calls/", ...DATA],
    why: "what is special about single functions is called by the generated functions, not the other way round",
  },
  {
    room: "ffi/runtime.ts",
    may: ["ffi/core/", "ffi/native/", "ffi/load/", "ffi/calls/"],
    why: "the generated files are written against it",
  },
  { room: "ffi/generated/enums.js", may: ["ffi/core/domain.ts"], why: "data is loaded where nothing else is" },
  {
    room: "ffi/generated/",
    may: ["ffi/runtime.ts", "ffi/calls/async_call.ts", "ffi/load/default_place.ts", "ffi/generated/"],
    why: "the generated files are written against ffi/runtime.ts, the asynchronous ones against ffi/calls/async_call.ts, too",
  },
  { room: "ffi/", may: ["ffi/"], why: "ffi/ imports nothing of ours outside itself" },
  { room: "mod.ts", may: ["ffi/"], why: "the entry point re-exports" },
  { room: "utils/mod.ts", may: ["utils/", "ffi/"], why: "the entry point re-exports" },
  { room: "utils/", may: ["utils/", "ffi/"], why: "utils/ stands on ffi/" },
  { room: "models/", may: ["models/", "utils/", "ffi/", "mod.ts"], why: "models/ stands on ffi/ and utils/" },
  { room: "doctor/", may: ["doctor/", "utils/", "ffi/"], why: "the doctor looks at ffi/ and utils/" },
  { room: "examples/", may: ["examples/"], why: "examples use the public entry points, as a user would" },
];

/** What of the project isn't public and some tests reach into all the same: the public entry points can't show it. */
export interface Reach {
  /** Whose tests: what their paths begin with. */
  readonly tests: string;
  /** Files, or folders that end in a slash. */
  readonly into: readonly string[];
  readonly why: string;
}

export const REACHES: readonly Reach[] = [
  {
    tests: "tests/",
    into: ["ffi/load/find.ts", "lexer/ggml/release.ts", "lexer/ggml/tree.ts"],
    why: "what tests are run over: the pinned release's library, its headers, a tree of them",
  },
  {
    tests: "tests/lexer/",
    into: ["lexer/text/", "lexer/tokens/", "lexer/model/", "lexer/preprocess/"],
    why: "a stage is tried by itself: the stages behind it hide what it gives",
  },
  {
    tests: "tests/lexer/",
    into: ["lexer/ggml/sentences.ts", "ffi/generated/symbols.ts"],
    why: "tables, compared with what they are about",
  },
  {
    tests: "tests/ffi/",
    into: ["ffi/core/arguments.ts", "ffi/core/domain.ts", "ffi/core/integers.ts"],
    why: "what generated functions call, with values that no function of C's takes or gives",
  },
  {
    tests: "tests/ffi/",
    into: ["ffi/calls/aside.ts", "ffi/calls/checks/", "ffi/load/library.ts", "ffi/load/files.ts", "ffi/load/processor.ts"],
    why: "C's functions by their addresses, and libraries one by one, without what lib does around a call",
  },
  {
    tests: "tests/ffi/",
    into: ["ffi/native/", "ffi/generated/native_code.js"],
    why: "machine code is compared with what a compiler makes of its source",
  },
  {
    tests: "tests/ffi/",
    into: ["ffi/generated/layouts.js", "ffi/generated/symbols.ts", "ffi/load/history.ts", "ffi/load/releases.ts"],
    why: "tables, compared with what a compiler and other releases say",
  },
  { tests: "tests/ffi/", into: ["ffi/load/needs.ts"], why: "messages of loaders of other systems, which can't be had here" },
  {
    tests: "tests/utils/",
    into: ["utils/files/input.ts", "utils/files/zip.ts"],
    why: "archives whose limits are set low: to reach zip's own takes 4 GiB",
  },
  {
    tests: "tests/",
    into: ["ffi/core/failure.ts", "utils/computing/task.ts"],
    why: "that nobody waits and no core is taken any more, which shows in nothing else",
  },
  {
    tests: "tests/models/",
    into: ["models/decode.ts", "models/text.ts", "models/schema/formats.ts", "models/serve/merge.ts"],
    why: "batches, pieces of text and failures that no model gives on demand; the list of formats, so that each is tried",
  },
  {
    tests: "tests/docs/",
    into: ["doctor/", "lexer/emit/api/"],
    why: "what the pages say, compared with what is bound; systems that aren't this one",
  },
  {
    tests: "tests/fuzz/",
    into: ["ffi/core/owner.ts", "lexer/emit/api/", "models/gbnf_place.ts"],
    why: "random calls are made of what is bound, and are judged by what owns what",
  },
  {
    tests: "tests/releases/",
    into: ["ffi/generated/layouts.js", "ffi/load/releases.ts", "lexer/emit/api/"],
    why: "a release is compared with the bindings of another",
  },
  { tests: "tests/stress/", into: ["ffi/generated/layouts.js"], why: "where C's fields lie, to write beyond them" },
  { tests: "tests/device/", into: ["utils/copying/pinned.ts"], why: "whether pinned memory was used, which shows in speed only" },
];

/** Programs and their parts, which anybody may look at. */
export const PROGRAMS = ["examples/", "bench/", "tools/", "docs/", "tests/"];

/** Files that import each other, and why that can't be otherwise. */
export const INHERENT: readonly { readonly files: RegExp; readonly why: string }[] = [
  { files: /^lexer\/parse\//, why: "C's grammar is recursive: an expression holds types, a type holds expressions" },
  {
    files: /^ffi\/generated\/(?:callbacks|functions|structs)\.js$/,
    why: "C's types are: a struct has callbacks for fields, a callback takes structs",
  },
];
