/**
 * `rpc.serve`: this machine's devices for others.
 *
 * @module
 */

import { describe as text } from "../../ffi/core/describe.ts";
import { expectOptions } from "../../ffi/core/options.ts";
import { lib } from "../../ffi/generated/lib.js";
import { callAside } from "../../ffi/calls/aside.ts";
import { type Device, listDevices } from "../computing/device.ts";
import { addressOf, isLoopback } from "./endpoint.ts";
import { type Guard, guard, needRpc } from "./library.ts";

/** What {@linkcode Rpc.serve} takes. */
export interface ServeOptions {
  /** The IPv4 address to listen on, by default `"127.0.0.1"`: then only this machine reaches it. `"0.0.0.0"` is all of the machine's. */
  host?: string;
  /** The port, by default 50052; 0 takes a free one. */
  port?: number;
  /** Which devices others get, of `devices()`. By default the GPUs, or else the CPU. */
  devices?: readonly Device[];
  /** The threads that a CPU device computes with, by default `navigator.hardwareConcurrency`. */
  threads?: number;
  /**
   * A folder for the weights that clients send, which are then not sent a second time: each above 10 MiB is a file named by its hash. It is
   * made if need be (`--allow-write`). Without one they are kept nowhere.
   */
  cache?: string;
  /** The file of the RPC backend, where it is neither in the library's folder nor in `rpc` in that. */
  library?: string;
}

/** A server. `close` ends it, as the end of an `await using` block does. */
export interface RpcServer extends AsyncDisposable {
  /** What `rpc.connect` takes, such as `"127.0.0.1:50052"`. */
  readonly endpoint: string;
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** The devices that it lends. */
  readonly devices: readonly Device[];
  /** Resolves when it has ended; rejects if C failed. */
  readonly finished: Promise<void>;
  /** Drops its client and ends it. */
  close(): Promise<void>;
}

let running: RpcServer | null = null;

/** Lends devices: see {@linkcode Rpc.serve}. */
export async function serve(options: ServeOptions = {}): Promise<RpcServer> {
  const where = "rpc.serve", { host, port, threads, cache, library } = expectServing(options);
  needRpc(where, library);
  const devices = expectDevices(options.devices), control = guard();
  if (control === null) throw new Error(`${where}: this RPC backend can't be ended again: build one by \`deno task build:rpc\``);
  if (running !== null) throw new Error(`${where}: this process serves already, on ${running.endpoint}: close that first`);
  if (cache !== undefined) Deno.mkdirSync(cache, { recursive: true });
  if (!isLoopback(host)) {
    console.warn(`${where}: listens on ${host} without authentication or encryption: for trusted networks only`);
  }
  control.begin();
  const finished = call(`${host}:${port}`, cache, threads, devices);
  const listening = await untilItListens(control, finished, `${where}: can't listen on ${host}:${port} (is the port in use?)`);
  const close = async () => {
    control.stop();
    await finished.catch(() => {}); // that C failed is what `finished` says
  };
  const endpoint = `${host}:${listening}`;
  const server: RpcServer = { endpoint, host, port: listening, devices, finished, close, [Symbol.asyncDispose]: close };
  running = server;
  const ended = () => void (running = running === server ? null : running);
  finished.then(ended, ended);
  return server;
}

interface Expected {
  readonly host: string;
  readonly port: number;
  readonly threads: number;
  readonly cache?: string;
  readonly library?: string;
}

function expectServing(options: ServeOptions): Expected {
  const wrong = (name: string, expected: string, value: unknown) =>
    new TypeError(`rpc.serve${name}: expected ${expected}, got ${text(value)}`);
  expectOptions("rpc.serve", options, ["host", "port", "devices", "threads", "cache", "library"]);
  const { host = "127.0.0.1", port = 50052, threads = navigator.hardwareConcurrency, cache, library } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw wrong("({ port })", "a port from 0 to 65535", port);
  if (!Number.isInteger(threads) || threads < 1 || threads > 512) {
    throw wrong("({ threads })", "a number of threads from 1 to 512", threads);
  }
  for (const [name, path] of Object.entries({ cache, library })) {
    if (path !== undefined && (typeof path !== "string" || path === "" || path.includes("\0"))) {
      throw wrong(`({ ${name} })`, "a path", path);
    }
  }
  return { host: addressOf(host, "rpc.serve"), port, threads, cache, library };
}

function expectDevices(chosen: readonly Device[] | undefined): readonly Device[] {
  const all = listDevices();
  if (chosen === undefined) {
    const gpus = all.filter(({ type, backend }) => (type === "gpu" || type === "igpu") && backend !== "RPC");
    return gpus.length > 0 ? gpus : all.filter(({ type }) => type === "cpu");
  }
  const isDevice = (value: unknown) => (value as Device | null)?.device instanceof lib.ggml_backend_device;
  if (!Array.isArray(chosen) || chosen.length === 0 || !chosen.every(isDevice)) {
    throw new TypeError(`rpc.serve({ devices }): expected some of devices(), got ${text(chosen)}`);
  }
  return chosen;
}

/** C's call, which returns when the server has ended. What it points to is kept until then. */
async function call(endpoint: string, cache: string | undefined, threads: number, devices: readonly Device[]): Promise<void> {
  const encode = (value: string) => new TextEncoder().encode(`${value}\0`);
  const kept = [encode(endpoint), cache === undefined ? null : encode(cache), BigUint64Array.from(devices, ({ device }) => device.address)];
  const [name, folder, list] = kept.map((memory) => memory === null ? 0n : BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory))));
  await callAside("ggml_backend_rpc_start_server", "rpc.serve", [name, folder, BigInt(threads), BigInt(devices.length), list]);
  kept.length = 0;
}

/** The port, when the server listens; rejects if it ends before. */
async function untilItListens(control: Guard, finished: Promise<void>, message: string): Promise<number> {
  let failure: Error | null = null;
  const fail = (cause?: unknown) => void (failure = new Error(message, { cause }));
  finished.then(fail, fail);
  while (failure === null) {
    const port = control.port();
    if (port !== 0) return port;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw failure;
}
