/**
 * Servers of rpc.serve, in processes of their own.
 *
 * @module
 */

import { assertMatch } from "@std/assert";
import { DENO } from "../process.ts";

const SERVER = `import { rpc } from "@ggml/deno/utils";
  const { library, port, cache } = JSON.parse(Deno.args[0]);
  const server = await rpc.serve({ port, threads: 1, cache, library });
  console.log(server.endpoint);
  await server.finished;`;

/** A server that listens on loopback. */
export interface Started extends AsyncDisposable {
  readonly endpoint: string;
  readonly pid: number;
  /** Ends it by SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts one with the backend in a file. */
export async function start(library: string, options: { port: number; cache?: string } = { port: 0 }): Promise<Started> {
  const file = await Deno.makeTempFile({ suffix: ".ts" }), [command, ...before] = DENO;
  await Deno.writeTextFile(
    file,
    SERVER.replaceAll('"@ggml/deno/utils"', JSON.stringify(new URL("../../utils/mod.ts", import.meta.url).href)),
  );
  const config = `--config=${new URL("../../deno.json", import.meta.url).pathname}`;
  const process = new Deno.Command(command, {
    args: [...before, "run", "--quiet", "--allow-ffi", "--allow-write", config, file, JSON.stringify({ library, ...options })],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  const endpoint = value?.trim() ?? "";
  assertMatch(endpoint, /^127\.0\.0\.1:\d+$/);
  const kill = async () => {
    try {
      process.kill("SIGKILL");
    } catch {
      // it is gone already
    }
    await process.status;
    await reader.cancel();
    await Deno.remove(file).catch(() => {}); // killed twice
  };
  return { endpoint, pid: process.pid, kill, [Symbol.asyncDispose]: kill };
}
