/**
 * Programs that the tests run in processes of their own.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Deno with this project's configuration. */
export async function deno(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", GGML_LIBRARY: "", INCLUDE: "", API: "", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a TypeScript program with the given permissions. */
export async function program(
  text: string,
  permissions: readonly string[] = ["--allow-ffi"],
  env: Record<string, string> = {},
): Promise<Ended> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      text.replaceAll(`"@ggml/deno`, `"${new URL("mod.ts", ROOT)}`).replaceAll(`mod.ts/utils"`, `utils/mod.ts"`),
    );
    return await deno(["run", "--no-prompt", "--quiet", `--config=${new URL("deno.json", ROOT).pathname}`, ...permissions, file], env);
  } finally {
    await Deno.remove(file);
  }
}
