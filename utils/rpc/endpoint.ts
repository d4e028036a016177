/**
 * Hosts and ports, as C takes them.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";

/** An endpoint that is well formed. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port` taken apart. Throws a TypeError if it isn't that: C takes port 0 for one it can't read. */
export function parseEndpoint(endpoint: unknown, where: string): Endpoint {
  const match = typeof endpoint === "string" ? /^([^\s:\0]+):(\d{1,5})$/.exec(endpoint) : null;
  const port = Number(match?.[2] ?? -1);
  if (match === null || port < 1 || port > 65535) {
    throw new TypeError(`${where}: expected host:port, such as "192.168.1.7:50052", got ${describe(endpoint)}`);
  }
  return { host: match[1], port };
}

/** The address that a server listens on: C takes IPv4 in numbers only. */
export function addressOf(host: unknown, where: string): string {
  if (host === "localhost") return "127.0.0.1";
  const numbers = typeof host === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ? host.split(".").map(Number) : [];
  if (numbers.length === 4 && numbers.every((number) => number <= 255)) return numbers.join(".");
  throw new TypeError(
    `${where}: host must be an IPv4 address of this machine, such as "192.168.1.7" or "0.0.0.0" for all, got ${describe(host)}`,
  );
}

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}
