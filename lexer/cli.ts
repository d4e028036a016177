/**
 * The commands: `deno run -RW jsr:@ggml/deno/cli COMMAND …`.
 *
 *     dump HEADER…        prints what the headers declare, as JSON
 *     preprocess HEADER…  prints what `cc -E -P` would
 *     generate --library NAME HEADER… --out FILE
 *                         writes one TypeScript module that binds a library; `generate --help` says more
 *
 * All take `-I DIR`, `-isystem DIR`, `-include HEADER`, `-D NAME[=VALUE]`, `-U NAME`, `--target TARGET` and `--no-standard`.
 *
 * @module
 */

import { dump, stringify } from "./model/dump.ts";
import { type Diagnostic, format, parse, type ParseOptions } from "./mod.ts";
import { preprocess } from "./parse/print.ts";
import { nearest } from "./text/suggest.ts";
import { targetNamed, TARGETS } from "./model/targets.ts";
import type { TargetName } from "./model/model.ts";

/** A command: takes its arguments, returns its exit status. */
type Command = (args: string[]) => number | Promise<number>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["dump", dumpCommand],
  ["preprocess", preprocessCommand],
  ["generate", generateArguments],
]);

const USAGE = `usage: deno run -RW jsr:@ggml/deno/cli ${[...COMMANDS.keys()].join("|")} HEADER… [OPTION…]; COMMAND --help says more`;

const OPTIONS = `  -I DIR           search DIR for #include "…" and <…>
  -isystem DIR     behind those; what its headers declare is the system's
  -include HEADER  read HEADER first: for one that leaves out an #include that it needs
  -D NAME[=VALUE]  define a macro, as 1 where no value is given; __STDC_VERSION__=202311L has headers read as C23, not as C17
  -U NAME          don't predefine it
  --target TARGET  one of ${Object.keys(TARGETS).join(", ")}; by default this machine's
  --no-standard    don't search the system's own folders, but use the stand-ins that come with this

Exits with 1 where a header is wrong, which is said on stderr, and with 2 where the command line is.`;

/** What `--help` prints. `generate` has its own. */
const HELP: ReadonlyMap<string, string> = new Map([
  ["dump", `Prints what C headers declare, as JSON.\n\n  deno run -R jsr:@ggml/deno/cli dump HEADER… [OPTION…]\n\n${OPTIONS}`],
  ["preprocess", `Prints what 'cc -E -P' would.\n\n  deno run -R jsr:@ggml/deno/cli preprocess HEADER… [OPTION…]\n\n${OPTIONS}`],
]);

/** Something wrong with the command line itself. */
class UsageError extends Error {}

/** Runs a command line. */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (isHelp(name)) {
    console.log(`Reads C headers.\n\n${USAGE}\n\n${OPTIONS}`);
    return 0;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    const near = name === undefined ? null : nearest(name, [...COMMANDS.keys()]);
    if (name !== undefined) console.error(`unknown command '${name}'${near === null ? "" : `; did you mean '${near}'?`}`);
    console.error(USAGE);
    return 2;
  }
  const help = HELP.get(name);
  if (help !== undefined && rest.some(isHelp)) {
    console.log(help);
    return 0;
  }
  try {
    return await command(rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

function isHelp(arg: string | undefined): boolean {
  return arg === "--help" || arg === "-h";
}

/** Headers and options as a compiler's command line has them. `instead` is an option that stands for headers. */
function compilerArguments(
  args: readonly string[],
  more: Record<string, string[]> = {},
  instead = "",
): { files: string[]; options: ParseOptions } {
  const files: string[] = [];
  const include: string[] = [];
  const system: string[] = [];
  const before: string[] = [];
  const defines: Record<string, string> = {};
  const undefines: string[] = [];
  let target: TargetName | undefined;
  let standard = true;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    /** The option's value, attached or the next argument; undefined where `arg` is another option. */
    const value = (name: string): string | undefined => {
      if (arg === name) {
        if (i + 1 >= args.length) throw new UsageError(`${name} takes a value`);
        return args[++i];
      }
      if (name.startsWith("--")) return arg.startsWith(`${name}=`) ? arg.slice(name.length + 1) : undefined;
      return arg.startsWith(name) ? arg.slice(name.length) : undefined;
    };
    let text: string | undefined;
    if (!arg.startsWith("-") || arg === "-") files.push(arg);
    else if ((text = value("-isystem")) !== undefined) system.push(text);
    else if ((text = value("-include")) !== undefined) before.push(text);
    else if ((text = value("-I")) !== undefined) include.push(text);
    else if ((text = value("-D")) !== undefined) {
      const equals = text.indexOf("=");
      defines[equals < 0 ? text : text.slice(0, equals)] = equals < 0 ? "1" : text.slice(equals + 1);
    } else if ((text = value("-U")) !== undefined) undefines.push(text);
    else if ((text = value("--target")) !== undefined) {
      const named = targetNamed(text);
      if (named === null) throw new UsageError(`unknown target '${text}': the targets are ${Object.keys(TARGETS).join(", ")}`);
      target = named;
    } else if (arg === "--no-standard") standard = false;
    else if ((text = anyOf(more, value)) === undefined) throw new UsageError(`unknown option '${arg}'`);
  }
  if (files.length === 0 && !more[instead]?.length) throw new UsageError("no header given");
  return { files, options: { include, system, before, defines, undefines, standard, ...(target === undefined ? {} : { target }) } };
}

/** Takes the value of one of a command's own options, and keeps it. */
function anyOf(more: Record<string, string[]>, value: (name: string) => string | undefined): string | undefined {
  for (const [name, values] of Object.entries(more)) {
    const text = value(name);
    if (text !== undefined) {
      values.push(text);
      return text;
    }
  }
}

/** Prints diagnostics; the exit status that they ask for. */
function report(diagnostics: readonly Diagnostic[]): number {
  for (const diagnostic of diagnostics) console.error(format(diagnostic));
  return diagnostics.some((diagnostic) => diagnostic.severity === "error") ? 1 : 0;
}

/** Writes to stdout, as far as whoever reads it (`head`) wants it. */
function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function dumpCommand(args: string[]): number {
  const { files, options } = compilerArguments(args);
  const { model, diagnostics } = parse(files, options);
  const status = report(diagnostics);
  if (status === 0) write(stringify(dump(model)));
  return status;
}

function preprocessCommand(args: string[]): number {
  const { files, options } = compilerArguments(args);
  const { text, diagnostics } = preprocess(files, options);
  const status = report(diagnostics);
  if (status === 0) write(text);
  return status;
}

async function generateArguments(args: string[]): Promise<number> {
  // Not before: the other commands shall not wait for the emitter to load.
  const { GENERATE_HELP, generateCommand } = await import("./emit/products/command.ts");
  if (args.some(isHelp)) {
    console.log(GENERATE_HELP);
    return 0;
  }
  const more = {
    "--library": [] as string[],
    "--out": [] as string[],
    "--bind": [] as string[],
    "--bigint": [] as string[],
    "--api": [] as string[],
  };
  const { files, options } = compilerArguments(args, more, "--api");
  const only = (name: "--library" | "--out"): string => {
    const [value, ...others] = more[name];
    if (!value || others.length > 0) throw new UsageError(`generate takes one ${name}; see generate --help`);
    return value;
  };
  return generateCommand({
    files,
    options,
    library: only("--library"),
    out: only("--out"),
    globs: more["--bind"],
    bigints: more["--bigint"],
    apis: more["--api"],
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
