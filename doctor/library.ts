/**
 * Which library is loaded and why, or why none is.
 *
 * @module
 */

import "../ffi/generated/lib.js"; // has each library checked against the layouts
import { listVariants, scoreOf } from "../ffi/load/files.ts";
import { CPU_VARIANTS, fileNames, RELEASE } from "../ffi/load/find.ts";
import { library, type LibraryInfo, load, type LoadOptions } from "../ffi/load/library.ts";
import { hasTrap } from "../ffi/native/trap.ts";
import { type Finding, note, ok, problem, type Section } from "./finding.ts";

/** Loads the library, and says what was found. `info` is null if there is none. */
export function loadLibrary(options: LoadOptions): { section: Section; info: LibraryInfo | null } {
  const bindings = ok(`bindings of ggml ${RELEASE.ggml} (llama.cpp ${RELEASE.llama}, npm packages ${RELEASE.package})`);
  try {
    const info = load(options);
    return { section: { title: "Library", findings: [bindings, ...describe(info)] }, info };
  } catch (error) {
    const { message } = error as Error;
    return { section: { title: "Library", findings: [bindings, problem(message, adviceFor(message))] }, info: null };
  }
}

function describe({ version, source, path, files }: LibraryInfo): Finding[] {
  const name = version === null ? "a ggml too old to say its version" : `ggml ${version}`;
  return [
    version === RELEASE.ggml ? ok(name) : note(name, `the bindings are of ${RELEASE.ggml}: what differs says so when it is used`),
    ok(`${path} (from ${source})`),
    ...files.map((file) => ok(`uses ${file}`)),
    ok(version === RELEASE.ggml ? ABI_SAME : "ABI: tensors are laid out as in the bindings"),
    trapFinding(hasTrap()),
  ];
}

const ABI_SAME = "ABI: structs and types are laid out and numbered as in the bindings";

/** Whether what C fails of is an Error. */
export function trapFinding(isSet: boolean): Finding {
  const { os, arch } = Deno.build;
  if (isSet) return ok("trap: C's failures (assertions, exceptions, null pointers …) become Errors");
  return note(`no trap on ${os} on ${arch} with this library: a failed assertion of C's ends the process`);
}

const OTHERS = "Or build one, and name it with GGML_LIBRARY=<folder> and --allow-env=GGML_LIBRARY, or load({ path }).";

function adviceFor(message: string): string {
  if (message.includes("another ABI")) return `Unset GGML_LIBRARY to use the prebuilt library of ggml ${RELEASE.ggml}.`;
  if (message.startsWith("load({ gpu:")) return "Without load({ gpu }), the library for the CPU is loaded.";
  const [, missing] = /Could not find a matching package for '(npm:[^']+)'/.exec(message) ?? [];
  if (missing !== undefined) {
    const why = 'Where there is a package.json, or "nodeModulesDir": "manual", Deno downloads nothing by itself';
    return `${why}: \`deno add ${missing}\`, or "nodeModulesDir": "auto" in deno.json. ${OTHERS}`;
  }
  if (message.includes("the prebuilt package is not to be had")) {
    return `The first run downloads it from npm: it needs a network, and a cache (DENO_DIR) that can be written. ${OTHERS}`;
  }
  return `Name a library file of ggml's, or the folder of a build. Without GGML_LIBRARY and load({ path }), the prebuilt one is loaded.`;
}

/** Each CPU variant with its score, and which was chosen. */
export function variantSection({ source, cpu }: LibraryInfo): Section {
  const { folder } = library();
  const names = new Set([
    ...(CPU_VARIANTS[Deno.build.arch] ?? []).map(([name]) => name),
    ...(source === "npm" ? [] : listVariants(folder)),
  ]);
  const scores = [...names].map((name) => [name, scoreIn(folder, name)] as const).filter(([, score]) => score !== null);
  const findings = scores.map(([name, score]) => {
    if (name === cpu?.variant) return ok(`${name}: ${score}, chosen: the highest score that this processor gets`);
    return ok(`${name}: ${score === 0 ? "0, this processor can't run it" : score}`);
  });
  return { title: "CPU variants", findings: findings.length > 0 ? findings : [ok("this build has one for all processors")] };
}

function scoreIn(folder: string, variant: string): number | null {
  for (const name of fileNames(`ggml-cpu-${variant}`)) {
    const score = scoreOf(folder + name);
    if (score !== null) return score;
  }
  return null;
}
