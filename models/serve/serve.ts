/**
 * `serve`: a model behind a port.
 *
 * @module
 */

import { inContext } from "../../utils/files/path.ts";
import { expectFunction, expectOptions, expectText, expectWhole } from "../expect.ts";
import type { Model } from "../model.ts";
import { HANDLER_OPTIONS, type HandlerOptions } from "./context.ts";
import { ApiError } from "./error.ts";
import { type Handler, handler } from "./handler.ts";

/** What {@linkcode serve} takes besides the model. */
export interface ServeOptions extends HandlerOptions {
  /** Whom it listens to; `"127.0.0.1"`, this machine alone, by default. `"0.0.0.0"` for everybody: then set `apiKey`. */
  readonly hostname?: string;
  /** The port; 8080 by default, 0 for any that is free. */
  readonly port?: number;
  /** Called when it listens. */
  readonly onListen?: (address: Deno.NetAddr) => void;
}

/** A server that listens. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /** What clients take as their base URL: `http://127.0.0.1:8080/v1`. */
  readonly url: string;
  /** Settles when it has ended. */
  readonly finished: Promise<void>;
  /** Takes no more requests, and waits until those that there are were answered. At the end of an `await using` block they are ended at once. */
  shutdown(): Promise<void>;
}

/** The names of this machine for itself. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i;

/** Refuses requests to another name: a web page whose name leads to this machine could read the answers (DNS rebinding). */
function forThisMachine(answer: Handler): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const hostname = URL.parse(request.url)?.hostname;
    if (hostname === undefined || LOOPBACK.test(hostname)) return answer(request); // which says what is wrong with such a URL
    return new ApiError(403, `this server is this machine's alone, and not ${hostname}'s`, { code: "wrong_host" }).toResponse();
  };
}

/**
 * Serves a model over HTTP as OpenAI's API; see {@linkcode handler}.
 *
 * @param model The model. It has to live as long as the server.
 * @param options `hostname`, `port`, `onListen`, and what {@linkcode handler} takes.
 * @returns The server, which listens.
 * @throws {Error} If the port is taken, there is no memory for the context, or the model was freed.
 *
 * @example
 * ```ts ignore
 * import { loadModel } from "@ggml/deno/models";
 * import { serve } from "@ggml/deno/serve";
 *
 * using model = await loadModel("SmolLM2-135M-Instruct.Q4_1.gguf");
 * await using server = serve(model, { port: 8080, sequences: 8, queue: 64 });
 * await server.finished;
 * ```
 */
export function serve(model: Model, options: ServeOptions = {}): Server {
  expectOptions("serve", options, ["hostname", "port", "onListen", ...HANDLER_OPTIONS]);
  const { hostname = "127.0.0.1", port = 8080, onListen = () => {}, ...others } = options;
  expectText("serve: hostname", hostname);
  expectWhole("serve: port", port, 0, 65535);
  expectFunction("serve: onListen", onListen);
  const answer = handler(model, others), stop = new AbortController();
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname, port, signal: stop.signal, onListen }, LOOPBACK.test(hostname) ? forThisMachine(answer) : answer);
  } catch (error) {
    void answer[Symbol.asyncDispose]();
    throw inContext(error, `serve: ${hostname}:${port}`);
  }
  const finished = server.finished.then(() => answer[Symbol.asyncDispose]());
  let ending: Promise<void> | null = null;
  const { addr } = server, host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  return {
    address: addr,
    url: `http://${host}:${addr.port}/v1`,
    finished,
    shutdown: () => ending ??= server.shutdown().then(() => finished),
    [Symbol.asyncDispose]: async () => {
      if (ending === null) stop.abort(); // a server that is shut down can't be told to stop
      ending ??= finished;
      await answer[Symbol.asyncDispose]();
      await finished;
    },
  };
}
