/**
 * Tries `readGguf` on random and broken files, and holds its verdict against that of C's reader, which runs in processes of its own.
 *
 *     deno run -A tests/fuzz/gguf.ts [COUNT [SEED]]
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type GgufError, readGguf } from "@ggml/deno/utils";
import { expectKnown, readCommandLine } from "../command_line.ts";
import { caseOf } from "./gguf_cases.ts";
import type { Verdict } from "./gguf_child.ts";

/** What a fuzz found. */
export interface GgufFindings {
  /** Files that were read, and refused. */
  read: number;
  refused: number;
  /** What C made of the files that were refused. */
  readonly byC: Map<Verdict | "died", number>;
  /** Which fields errors named, with numbers and names left out. */
  readonly fields: Map<string, number>;
  /** What must not be. */
  readonly complaints: string[];
  /** Files that C's reader died of, and what we say of them. */
  readonly deadly: string[];
  /** The longest that one file took, in milliseconds, and the most memory that the process had, in bytes. */
  slowest: number;
  memory: number;
}

/** Files between looks at what children say. */
const BATCH = 200;

/** Tries so many files. */
export async function fuzzGguf(count: number, seed: number): Promise<GgufFindings> {
  const folder = Deno.makeTempDirSync({ prefix: "ggml-gguf-fuzz-" });
  const found: GgufFindings = { read: 0, refused: 0, byC: new Map(), fields: new Map(), complaints: [], deadly: [], slowest: 0, memory: 0 };
  try {
    const [ours, theirs] = await Promise.all([
      verdicts(count, seed, `${folder}/ours.gguf`, found),
      verdictsOfC(count, seed, `${folder}/c.gguf`),
    ]);
    compare(ours, theirs, found);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  return found;
}

/** What we make of each file: the error's message, null if there is none. */
async function verdicts(count: number, seed: number, path: string, found: GgufFindings): Promise<(string | null)[]> {
  const ours: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    ours.push(tryOne(path, caseOf(seed, i), found, i));
    if (i % BATCH === 0) await new Promise((done) => setTimeout(done)); // children want to be heard
  }
  return ours;
}

/** Reads one file; the error's message, null if there is none. */
function tryOne(path: string, bytes: Uint8Array, found: GgufFindings, number: number): string | null {
  Deno.writeFileSync(path, bytes);
  const start = performance.now();
  const message = read(path, bytes.length, found, number);
  found.slowest = Math.max(found.slowest, performance.now() - start);
  found.memory = Math.max(found.memory, Deno.memoryUsage().rss);
  return message;
}

function read(path: string, size: number, found: GgufFindings, number: number): string | null {
  try {
    using file = readGguf(path);
    for (const tensor of file.tensors.values()) for (const _ of tensor.pieces()); // all of it is there
    return null;
  } catch (error) {
    const { name, offset, field, message } = error as GgufError;
    const place = `readGguf: ${path}: at byte ${offset}: ${field}: `;
    const isRight = name === "GgufError" && offset >= 0 && offset <= size && field !== "" && message.startsWith(place);
    if (!isRight) found.complaints.push(`file ${number}: not a GgufError with its place: ${(error as Error).stack}`);
    const kind = String(field).replace(/".*"/s, '""').replace(/\d+/g, "0");
    found.fields.set(kind, (found.fields.get(kind) ?? 0) + 1);
    return message;
  }
}

function compare(ours: readonly (string | null)[], theirs: readonly (Verdict | "died")[], found: GgufFindings): void {
  ours.forEach((message, i) => {
    const verdict = theirs[i];
    if (message === null) {
      found.read++;
      if (verdict !== "accepted") found.complaints.push(`file ${i}: we read it, C: ${verdict}`);
      return;
    }
    found.refused++;
    found.byC.set(verdict, (found.byC.get(verdict) ?? 0) + 1);
    if (verdict === "died") found.deadly.push(`file ${i} kills C's reader; we say: ${message}`);
    if (verdict === "accepted" || verdict === "not loaded") found.complaints.push(`file ${i}: C reads it, we don't: ${message}`);
  });
}

/** What C makes of each file, with a new process for each that dies. */
async function verdictsOfC(count: number, seed: number, path: string): Promise<(Verdict | "died")[]> {
  const verdicts: (Verdict | "died")[] = [];
  while (verdicts.length < count) {
    const success = await child([seed, verdicts.length, count].map(String), path, (line) => {
      const [number, ...verdict] = line.split(" ");
      verdicts[Number(number)] = verdict.join(" ") as Verdict;
    });
    if (!success) verdicts.push("died");
    else if (verdicts.length < count) throw new Error("C's process ended before its work was done");
  }
  return verdicts;
}

/** Runs a process; false if a signal killed it. */
async function child(args: readonly string[], path: string, told: (line: string) => void): Promise<boolean> {
  const script = fromFileUrl(new URL("gguf_child.ts", import.meta.url));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", "-A", script, ...args, path],
    cwd: fromFileUrl(new URL("../../", import.meta.url)),
    env: { NO_COLOR: "1", GGML_NO_BACKTRACE: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let rest = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(told);
  }
  const { success, signal, code } = await process.status;
  if (!success && signal === null) throw new Error(`the process for C's reader failed by itself, with exit code ${code}`);
  return success;
}

/** What was found, to be read. */
function reportGguf({ read, refused, byC, fields, complaints, deadly, slowest, memory }: GgufFindings): string {
  const counts = (map: ReadonlyMap<string, number>) =>
    [...map].sort((a, b) => b[1] - a[1]).map(([what, count]) => `${what} ${count}`).join(", ");
  return [
    ...complaints.slice(0, 20),
    ...deadly.slice(0, 20),
    `${read + refused} files: ${read} read, ${refused} refused; of these C's reader says: ${counts(byC)}`,
    `errors name: ${counts(fields)}`,
    `slowest file ${slowest.toFixed(1)} ms, ${(memory / 2 ** 20).toFixed(0)} MiB of memory at most; ${complaints.length} complaints`,
  ].join("\n");
}

if (import.meta.main) {
  const usage = "fuzz:gguf [COUNT [SEED]]", { numbers: [count, seed], names } = readCommandLine(usage, [50_000, 1]);
  expectKnown(usage, names, []);
  const found = await fuzzGguf(count, seed);
  console.log(reportGguf(found));
  Deno.exit(found.complaints.length === 0 ? 0 : 1);
}
