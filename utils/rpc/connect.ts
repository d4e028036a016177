/**
 * `rpc.connect`: a server's devices.
 *
 * @module
 */

import { describe as text } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { describeDevice, type Device } from "../computing/device.ts";
import { parseEndpoint } from "./endpoint.ts";
import { needRpc } from "./library.ts";

/** What {@linkcode Rpc.connect} takes besides the endpoint. */
export interface ConnectOptions {
  /** The file of the RPC backend, where it is neither in the library's folder nor in `rpc` in that. */
  library?: string;
}

/** By host and port: the name that C has it under, and its registry. */
const servers: Map<string, { readonly name: string; readonly reg: lib.ggml_backend_reg }> = new Map();

/** How often a server may go and come again. */
const MOST = 64;

/** Connects to a server: see {@linkcode Rpc.connect}. */
export function connect(endpoint: string, options: ConnectOptions = {}): Device[] {
  const where = "rpc.connect", { host, port } = parseEndpoint(endpoint, where), key = `${host}:${port}`;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${where}: expected options such as { library }, got ${text(options)}`);
  }
  if (options.library !== undefined && typeof options.library !== "string") {
    throw new TypeError(`${where}({ library }): expected the path of a file, got ${text(options.library)}`);
  }
  needRpc(where, options.library);
  const known = servers.get(key);
  if (known !== undefined && isThere(known.reg)) return devicesOf(known.reg);
  for (let i = 0; i < MOST; i++) {
    const name = `${host}:${"0".repeat(i)}${port}`;
    if (known !== undefined && name.length <= known.name.length) continue; // C keeps a lost connection under its name
    const reg = add(name, key);
    if (!isThere(reg)) continue;
    lib.ggml_backend_register(reg);
    servers.set(key, { name, reg });
    return devicesOf(reg);
  }
  throw new Error(`${where}: the server at ${key} went away ${MOST} times: this process can't connect to it again`);
}

/** The registry of a server's devices. */
function add(name: string, key: string): lib.ggml_backend_reg {
  let reg: lib.ggml_backend_reg | null;
  try {
    reg = lib.ggml_backend_rpc_add_server(name);
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
