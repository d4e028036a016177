/**
 * `rpc`: computing on other machines, over ggml's own RPC backend.
 *
 * @module
 */

import type { Device } from "./computing/device.ts";
import { connect, type ConnectOptions } from "./rpc/connect.ts";
import { type RpcServer, serve, type ServeOptions } from "./rpc/serve.ts";

export type { ConnectOptions, RpcServer, ServeOptions };

/** Lending devices, and using those of others: what {@linkcode rpc} is. */
export interface Rpc {
  /**
   * Lends this machine's devices to others, until it is closed or the process ends.
   *
   * It serves one client at a time, on another thread; the next one waits. **There is no authentication**: whoever reaches the port may use
   * the memory and the devices, and may be able to do more. Listen on trusted networks only. What clients do is logged (`onLog`, `"info"`).
   * In C: `ggml_backend_rpc_start_server`.
   *
   * @param options `host`, `port`: where it listens. `devices`, `threads`: what is lent. `cache`: a folder for weights. `library`: the file
   * of the RPC backend.
   * @returns The server, when it listens.
   * @throws {Error} If it can't listen there, this process serves already, there is no RPC backend, or that one was not built by
   * `deno task build:rpc`, so that it couldn't be ended. As a rejection.
   * @throws {TypeError} If an option has the wrong type. As a rejection.
   *
   * @example
   * ```ts ignore
   * import { rpc } from "@ggml/deno/utils";
   *
   * const server = await rpc.serve({ host: "192.168.1.7", cache: "/var/cache/ggml" });
   * console.log(`serving on ${server.endpoint}`);
   * await server.finished;
   * ```
   */
  serve(options?: ServeOptions): Promise<RpcServer>;

  /**
   * Connects to a server: its devices are in `devices()` from then on.
   *
   * Where the server goes away later, whatever waits for it is an Error that says so, and so is what is done with its devices, tensors and
   * backends from then on; this process goes on, and so do its other servers. What the server held is lost. Once it is there again
   * `connect` gives new devices; the lost ones stay in `devices()`, with no memory. A machine that goes without a word (a cable that is
   * pulled) is noticed after 25 seconds; a server that hangs, after `timeout`, and then it is lost, too. All that is so with the backend that
   * `deno task build:rpc` builds; with another, whoever waits for a server that goes or hangs does so for ever, and `timeout` is refused.
   *
   * `compute` and `computeAsync` return when the server knows what to do; who reads a result waits for it.
   *
   * It waits for the connection, up to 10 seconds, in this thread. In C: `ggml_backend_rpc_add_server`, `ggml_backend_register`.
   *
   * @param endpoint `host:port`, the host by its name or IPv4 address.
   * @param options `library`: the file of the RPC backend. `timeout`: how many milliseconds an answer is waited for, by default 300,000.
   * @returns The server's devices, one or more.
   * @throws {Error} If nothing answers there, what answers is no server of this release, or there is no RPC backend.
   * @throws {TypeError} If the endpoint is none.
   *
   * @example
   * ```ts ignore
   * import { lib } from "@ggml/deno";
   * import { rpc } from "@ggml/deno/utils";
   *
   * const both = [...rpc.connect("192.168.1.7:50052"), ...rpc.connect("192.168.1.8:50052")];
   * const params = lib.llama_model_default_params();
   * params.devices = BigUint64Array.of(...both.map(({ device }) => device.address), 0n); // the layers are split over them
   * ```
   */
  connect(endpoint: string, options?: ConnectOptions): Device[];
}

/**
 * Devices of other machines: `rpc.serve` lends this machine's, `rpc.connect` gives another's, which then are as any other: in `devices()`,
 * for `lib.ggml_backend_dev_init`, for the `devices` of a llama model.
 *
 * There is **no authentication and no encryption**, and a server does what it is told with memory and files: ggml says of it that it is
 * fragile, insecure, and never to be run on an open network. A server listens on 127.0.0.1 unless it is told otherwise. Client and server
 * must be of the same release.
 *
 * It takes a library that the prebuilt packages lack: `deno task build:rpc` in a clone builds it, with a C++ compiler on Linux.
 *
 * @example
 * ```ts ignore
 * import { lib } from "@ggml/deno";
 * import { devices, rpc } from "@ggml/deno/utils";
 *
 * await using server = await rpc.serve({ port: 0 }); // on another machine: { host: "192.168.1.7", port: 50052 }
 * console.log(server.endpoint); // 127.0.0.1:43567
 *
 * const [remote] = rpc.connect(server.endpoint);
 * using backend = lib.ggml_backend_dev_init(remote.device, null)!;
 * console.log(devices().map(({ name }) => name)); // [ "CPU", "RPC0" ]
 * ```
 */
export const rpc: Rpc = { serve, connect };
