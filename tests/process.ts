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

/** The library that these tests were told to use: programs use the same one, unless a test names theirs. */
const LIBRARY = Deno.env.get("GGML_LIBRARY") ?? "";

/** For tests of the library that nobody named. */
export const OF_DEFAULT = { ignore: LIBRARY !== "" };

/** Permissions that let a program read the variable, or that are meant not to. */
const SAYS_ENV = /^(-A|--allow-all|--(allow|deny)-env(=(.*,)?GGML_LIBRARY(,.*)?)?)$/;

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Deno with this project's configuration, after what a shell is to do first, such as set limits. */
export async function deno(args: readonly string[], env: Record<string, string> = {}, first: string | null = null): Promise<Ended> {
  const [command, ...before] = [...DENO, ...(LIBRARY !== "" && env.GGML_LIBRARY === undefined ? readable(args) : args)];
  const { code, stdout, stderr } = await new Deno.Command(first === null ? command : "sh", {
    args: first === null ? before : ["-c", `${first}; exec "$0" "$@"`, command, ...before],
    cwd: ROOT,
    env: { NO_COLOR: "1", GGML_LIBRARY: LIBRARY, INCLUDE: "", API: "", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The arguments of a command that may read which library it is to use. */
function readable([command, ...args]: readonly string[]): string[] {
  const may = !/^(run|test)$/.test(command) || args.some((arg) => SAYS_ENV.test(arg));
  return may ? [command, ...args] : [command, "--allow-env=GGML_LIBRARY", ...args];
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

/** What a program in a Worker posts first. */
export function inWorker(text: string): Promise<unknown> {
  const worker = new Worker("data:text/javascript," + encodeURIComponent(text), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
    worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
  });
}
