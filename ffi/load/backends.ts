/**
 * Loading backends: from where the library lies and from where the call says, never from the current folder, as C does where no folder is named.
 *
 * C also loads the file that `GGML_BACKEND_PATH` names. That is code which somebody else's environment chose: it is hidden from C unless this
 * program may read the variable (`--allow-env=GGML_BACKEND_PATH`).
 *
 * @module
 */

import { lastly, type Later } from "../core/after.ts";
import { at, windowsAddresses } from "../core/at.ts";
import { bytesAt } from "../core/cstring.ts";
import type { Library } from "./files.ts";
import { trapped } from "../native/trap.ts";

const VARIABLE = "GGML_BACKEND_PATH";
const LOAD_ALL = { parameters: ["buffer"], result: "void" } as const;

/** Has ggml's registry load every backend in the library's folder. One that is there already is left alone. */
export function loadBackends(library: Library): void {
  if (library.folder === "") return; // the system knows where the library is, and C would look in the current folder
  const loadAll = library.symbol("ggml_backend_load_all_from_path", LOAD_ALL) as (folder: Uint8Array) => void;
  withoutVariable(library, () => loadAll(bytes(library.folder)));
  trapped("ggml_backend_load_all_from_path");
}

/**
 * Calls something that reads the variable that names a backend. It isn't there meanwhile if it may not be read.
 */
export function withoutVariable(library: Library, call: () => Later<void>): Later<void> {
  if (Deno.permissions.querySync({ name: "env", variable: VARIABLE }).state === "granted") return call();
  const { get, set } = environment(library);
  const value = get();
  if (value === null) return call();
  set(null);
  return lastly(call, () => set(value));
}

interface Environment {
  /** The variable's value, a copy. */
  readonly get: () => Uint8Array<ArrayBuffer> | null;
  readonly set: (value: Uint8Array<ArrayBuffer> | null) => void;
}

/** The variable as C sees it: Deno's own view of it takes the permission that isn't there. */
function environment(library: Library): Environment {
  const windows = Deno.build.os === "windows" ? windowsAddresses("ucrtbase.dll", ["getenv", "_putenv_s"]) : null;
  const address = (name: string): bigint => {
    const found = library.address(name);
    if (found === null) throw new Error(`${VARIABLE} can't be hidden from C: there is no ${name}`);
    return found;
  };
  const name = bytes(VARIABLE);
  const getenv = at(windows?.getenv ?? address("getenv"), ["buffer"], "pointer");
  const get = () => {
    const pointer = getenv(name);
    return pointer === null ? null : Uint8Array.of(...bytesAt(pointer), 0); // a path need not be UTF-8
  };
  if (windows !== null) {
    const put = at(windows._putenv_s, ["buffer", "buffer"], "i32");
    return { get, set: (value) => void put(name, value ?? bytes("")) }; // an empty one is removed
  }
  const setenv = at(address("setenv"), ["buffer", "buffer", "i32"], "i32"), unsetenv = at(address("unsetenv"), ["buffer"], "i32");
  return { get, set: (value) => void (value === null ? unsetenv(name) : setenv(name, value, 1)) };
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
