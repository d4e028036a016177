/**
 * Programs that the tools run, to their ends.
 *
 * @module
 */

/** How one ended. */
export interface Ended {
  readonly success: boolean;
  /** What ended it, if that was no exit status. */
  readonly signal: Deno.Signal | null;
  /** What it printed, to both. */
  readonly output: string;
}

/** A command that has not ended after so many minutes never does. */
const PATIENCE = 20;

/** Runs a command in a folder. */
export async function run(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const { success, signal, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", INCLUDE: "", API: "", GGML_LIBRARY: "", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(PATIENCE * 60_000),
  }).output();
  const decoder = new TextDecoder();
  return { success, signal, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs Deno in a folder. */
export function deno(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  return run(Deno.execPath(), args, cwd, env);
}

/** Runs Deno in a folder, and throws with what it printed if it failed. */
export async function mustRun(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const { success, output } = await deno(args, cwd, env);
  if (!success) throw new Error(`deno ${args.join(" ")}, in ${cwd}, failed:\n${output.trim()}`);
  return output;
}
