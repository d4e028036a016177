/**
 * A server of a language model, with OpenAI's API: what talks to that talks to it.
 *
 *     deno run --allow-ffi --allow-read --allow-net jsr:@ggml/deno/serve MODEL [--port 8080] [--sequences 8] …
 *
 * Only this machine may ask it unless `--host` says otherwise.
 *
 * @module
 */

import { loadModel } from "../load_model.ts";
import { HELP, readCommand, USAGE } from "./command.ts";
import { serve } from "./serve.ts";

export type { HandlerOptions } from "./context.ts";
export { type Handler, handler } from "./handler.ts";
export { serve, type ServeOptions, type Server } from "./serve.ts";

/** Serves until it is told to end; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  let command: ReturnType<typeof readCommand>;
  try {
    command = readCommand(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
  const { path, gpuLayers, options } = command;
  await using model = await loadModel(path, gpuLayers === undefined ? {} : { gpuLayers });
  await using server = serve(model, options);
  console.error(`${model.info.description} is served at ${server.url}`);
  const ended = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
  await Promise.race([ended, server.finished]);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error((error as Error).message); // which says what it was about
    Deno.exit(1);
  }
}
