/**
 * `rpc.connect`: a server's devices.
 *
 * @module
 */

import { describe as text } from "../../ffi/core/describe.ts";
import { expectOptions } from "../../ffi/core/options.ts";
import { lib } from "../../ffi/generated/lib.js";
import { describeDevice, type Device } from "../computing/device.ts";
import { parseEndpoint } from "./endpoint.ts";
import { needed } from "../releases/optional.ts";
import { guard, needRpc } from "./library.ts";

/** What {@linkcode Rpc.connect} takes besides the endpoint. */
export interface ConnectOptions {
  /** The file of the RPC backend, where it is neither in the library's folder nor in `rpc` in that. */
  library?: string;
  /**
   * For how many milliseconds an answer of the server is waited for, by default 300,000, five minutes; `Infinity` for ever. It must be longer than the
   * longest graph takes there: who reads a result waits for that. It holds from when the server is connected to until it is lost.
   */
  timeout?: number;
}

/** How long a server may take for an answer. */
const TIMEOUT = 300_000;

/** The most milliseconds that C takes. */
const MOST_MS = 2 ** 31 - 1;

/** What C takes for "for ever" and for "as it was". */
const FOR_EVER = -1, AS_BEFORE = -2;

/** By host and port: the name that C has it under, and its registry. */
const servers: Map<string, { readonly name: string; readonly reg: lib.ggml_backend_reg }> = new Map();

/** How often a server may go and come again. */
const MOST = 64;

/** Connects to a server: see {@linkcode Rpc.connect}. */
export function connect(endpoint: string, options: ConnectOptions = {}): Device[] {
  const where = "rpc.connect", { host, port } = parseEndpoint(endpoint, where), key = `${host}:${port}`;
  expectOptions(where, options, ["library", "timeout"]);
  if (options.library !== undefined && typeof options.library !== "string") {
    throw new TypeError(`${where}({ library }): expected the path of a file, got ${text(options.library)}`);
  }
  const limit = limitOf(options.timeout, where);
  needRpc(where, options.library);
  const setLimit = guard()?.limit ?? null;
  if (setLimit === null && options.timeout !== undefined && options.timeout !== Infinity) {
    throw new Error(`${where}: this RPC backend waits for its servers for ever: build one that takes a timeout by \`deno task build:rpc\``);
  }
  setLimit?.(limit);
  try {
    return devicesAt(key, host, port);
  } finally {
    setLimit?.(AS_BEFORE);
  }
}

function limitOf(timeout: unknown, where: string): number {
  if (timeout === undefined) return TIMEOUT;
  if (timeout === Infinity) return FOR_EVER;
  if (typeof timeout === "number" && timeout >= 1 && timeout <= MOST_MS) return Math.ceil(timeout);
  throw new TypeError(`${where}({ timeout }): expected milliseconds, from 1 to ${MOST_MS}, or Infinity, got ${text(timeout)}`);
}

/** Connects, unless it is connected. */
function devicesAt(key: string, host: string, port: number): Device[] {
  const where = "rpc.connect";
  const known = servers.get(key);
  if (known !== undefined && isThere(known.reg)) return devicesOf(known.reg);
  for (let i = 0; i < MOST; i++) {
    const name = `${host}:${"0".repeat(i)}${port}`;
    if (known !== undefined && name.length <= known.name.length) continue; // C keeps a lost connection under its name
    const reg = add(name, key);
    if (!isThere(reg)) continue;
    needed<(reg: lib.ggml_backend_reg) => void>("ggml_backend_register")(reg);
    servers.set(key, { name, reg });
    return devicesOf(reg);
  }
  throw new Error(`${where}: the server at ${key} went away ${MOST} times: this process can't connect to it again`);
}

/** The registry of a server's devices. */
function add(name: string, key: string): lib.ggml_backend_reg {
  let reg: lib.ggml_backend_reg | null;
  try {
    reg = needed<(endpoint: string) => lib.ggml_backend_reg | null>("ggml_backend_rpc_add_server")(name);
  } catch (error) {
    throw new Error(
      `rpc.connect: no RPC server of this release answers at ${key}, or it has a client already: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (reg === null) throw new Error(`rpc.connect: the server at ${key} has no devices`);
  return reg;
}

/** Whether a server answers: asked how much memory its first device has. */
function isThere(reg: lib.ggml_backend_reg): boolean {
  try {
    const room = new BigUint64Array(2);
    lib.ggml_backend_dev_memory(lib.ggml_backend_reg_dev_get(reg, 0)!, room.subarray(0, 1), room.subarray(1));
    return true;
  } catch {
    return false;
  }
}

function devicesOf(reg: lib.ggml_backend_reg): Device[] {
  return Array.from({ length: lib.ggml_backend_reg_dev_count(reg) }, (_, i) => describeDevice(lib.ggml_backend_reg_dev_get(reg, i)!));
}
