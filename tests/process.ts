/**
 * Programs that the tests run in processes of their own.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** What Deno itself is run by, where the system doesn't run it: `EMULATOR="qemu-aarch64-static -L /usr/aarch64-linux-gnu"`. */
const EMULATOR = (Deno.env.get("EMULATOR") ?? "").split(" ").filter((word) => word !== "");

/** The command that runs Deno, and the arguments before its own. */
export const DENO: readonly [command: string, ...args: string[]] = [...EMULATOR, Deno.execPath()] as [string];

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Deno with this project's configuration, after what a shell is to do first, such as set limits. */
export async function deno(args: readonly string[], env: Record<string, string> = {}, first: string | null = null): Promise<Ended> {
  const [command, ...before] = DENO;
  const { code, stdout, stderr } = await new Deno.Command(first === null ? command : "sh", {
    args: first === null ? [...before, ...args] : ["-c", `${first}; exec "$0" "$@"`, command, ...before, ...args],
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
  first: string | null = null,
): Promise<Ended> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      text.replaceAll(`"@ggml/deno`, `"${new URL("mod.ts", ROOT)}`).replaceAll(`mod.ts/utils"`, `utils/mod.ts"`),
    );
    return await deno(
      ["run", "--no-prompt", "--quiet", `--config=${new URL("deno.json", ROOT).pathname}`, ...permissions, file],
      env,
      first,
    );
  } finally {
    await Deno.remove(file);
  }
}
