/**
 * ggml's own sources, read for what their functions assert.
 *
 * @module
 */

import { format, type ParseOptions, readFile, TokenStream } from "../mod.ts";
import { Parser } from "../parser.ts";
import { translationUnit } from "../parse.ts";

/** A source file with the bodies of its functions. */
export interface Source {
  readonly parser: Parser;
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** The name of the function that ends the process: what `GGML_ASSERT` and `GGML_ABORT` come down to, and here `assert` too. */
export const ABORT = "ggml_abort";

/** Stands where the headers are that the sources include for what no guard needs. */
const STAND_INS = "guards";

const HEADERS: Readonly<Record<string, string>> = {
  // A release build has no `assert`s. What they say is no less true: whoever breaks one reads or writes what isn't his.
  "assert.h":
    `#undef assert\n#define assert(e) if (!(e)) ${ABORT}(__FILE__, __LINE__, "GGML_ASSERT(%s) failed", #e)\n#define static_assert _Static_assert\n`,
  "math.h": `#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
double floor(double), ceil(double), sqrt(double), pow(double, double), log2(double), fabs(double), round(double);
float floorf(float), ceilf(float), sqrtf(float), powf(float, float), log2f(float), fabsf(float), roundf(float);
`,
  ...Object.fromEntries(
    ["alloca.h", "execinfo.h", "ggml-version.h", "signal.h", "syscall.h", "sys/prctl.h", "sys/stat.h", "sys/wait.h", "unistd.h"]
      .map((name) => [name, ""]),
  ),
};

/**
 * Reads a C source of ggml with its functions' bodies.
 *
 * @param path The file.
 * @param include Where its headers are.
 * @returns Null where there is no such file.
 */
export function readSource(path: string, include: readonly string[]): Source | null {
  if (readFile(path) === undefined) return null;
  const options: ParseOptions = { include: [STAND_INS, ...include], target: "x86_64-linux", read };
  const stream = new TokenStream([path], options);
  const parser = new Parser(stream, stream.pp, stream.target, stream.c23, true);
  translationUnit(parser);
  const problems = stream.diagnostics.list.filter(({ severity }) => severity === "error").map(format);
  return { parser, problems };
}

function read(path: string): string | undefined {
  if (path.startsWith(`${STAND_INS}/`)) return HEADERS[path.slice(STAND_INS.length + 1)];
  return readFile(path);
}
