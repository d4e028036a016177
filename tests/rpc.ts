/**
 * A split build with the backend ggml-rpc, which the prebuilt packages lack: built from the pinned sources, beside links to the package's
 * libraries.
 *
 * @module
 */

import { load } from "@ggml/deno";
import { existsSync } from "node:fs";
import { RELEASE } from "../ffi/load/find.ts";
import { buildRpc, NAME } from "../tools/build_rpc.ts";

const ROOT = new URL("../", import.meta.url);

/** The folder with the libraries; null where they can't be built, which is said. */
export async function rpcBuild(): Promise<string | null> {
  const guard = await Deno.readFile(new URL("tools/rpc_guard.cpp", ROOT));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", guard)).toHex().slice(0, 12);
  const folder = decodeURIComponent(new URL(`.cache/rpc-${RELEASE.package}-${hash}/`, ROOT).pathname);
  try {
    if (!existsSync(folder + NAME)) await buildRpc(folder);
  } catch (error) {
    console.warn(`SKIPPED the backend ggml-rpc: ${(error as Error).message}`);
    return null;
  }
  for (const { name } of Deno.readDirSync(load().path)) {
    await Deno.symlink(load().path + name, folder + name).catch(() => {}); // it is there
  }
  return folder;
}
