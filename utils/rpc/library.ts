/**
 * Where the library of ggml's RPC backend is, and having it loaded.
 *
 * @module
 */

import { at } from "../../ffi/core/at.ts";
import { loadBackends } from "../../ffi/load/backends.ts";
import { HOW_TO_BUILD_RPC, whyNot } from "../../ffi/load/files.ts";
import { fileNames } from "../../ffi/load/find.ts";
import { lib } from "../../ffi/generated/lib.js";
import { library } from "../../ffi/load/library.ts";

/**
 * What `tools/rpc_guard.cpp` adds to the backend: stopping a server, and the port that it listens on. Null of a backend that was built
 * without it.
 */
export interface Guard {
  begin(): void;
  stop(): void;
  port(): number;
  /** How many milliseconds the server that this thread connects to next may take for an answer; -1 for ever, -2 as it was. Null of an older one. */
  readonly limit: ((ms: number) => void) | null;
}

/** Has the backend's functions in the library; loads it if it isn't there. `named` is a path that somebody gave. */
export function needRpc(where: string, named?: string): void {
  if (lib.ggml_backend_reg_count() === 0) loadBackends(library());
  if (hasRpc()) return;
  const paths = named === undefined ? candidates() : [named], tried: string[] = [];
  for (const path of paths) {
    const reason = whyNot(path);
    if (reason === null && lib.ggml_backend_load(path) !== null && hasRpc()) return;
    tried.push(`  ${path}: ${reason ?? "opens, but is no backend of ggml's of this release"}`);
  }
  throw new Error(
    [
      `${where}: the loaded library has no RPC backend. ${HOW_TO_BUILD_RPC} Or name yours with { library }. Tried:`,
      ...tried,
    ].join("\n"),
  );
}

function hasRpc(): boolean {
  return library().address("ggml_backend_rpc_start_server") !== null;
}

/** Beside the library's files, where a build of one's own has it, and where `deno task build:rpc` puts it: where the library looks, too. */
function candidates(): string[] {
  const names = fileNames("ggml-rpc");
  return [...names, `rpc/${names[0]}`].map((name) => library().folder + name);
}

let known: Guard | null | undefined;

/** What the guard has; null if the backend was built without it. */
export function guard(): Guard | null {
  if (known !== undefined) return known;
  const [begin, stop, port] = ["begin", "stop", "port"].map((name) => library().address(`ggml_backend_rpc_guard_${name}`));
  if (begin === null || stop === null || port === null) return known = null;
  const limit = library().address("ggml_backend_rpc_guard_limit");
  return known = {
    begin: at(begin, [], "void"),
    stop: at(stop, [], "void"),
    port: at(port, [], "i32"),
    limit: limit === null ? null : at(limit, ["i32"], "void"),
  };
}
