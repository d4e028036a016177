/**
 * Deno, the platform, what is permitted and what the environment says. Imports nothing of the bindings: it must run where they don't.
 *
 * @module
 */

import { type Finding, note, ok, problem, type Section } from "./finding.ts";

/** The oldest Deno that README names: every test passes on it. */
export const OLDEST = "2.9.0";

/** What each permission gives. */
const PERMISSIONS: readonly (readonly [descriptor: Deno.PermissionDescriptor, flag: string, gives: string])[] = [
  [{ name: "env", variable: "GGML_LIBRARY" }, "--allow-env=GGML_LIBRARY", "the variable GGML_LIBRARY is honoured"],
  [{ name: "read" }, "--allow-read", "CPU variants that the bindings don't know are found in a folder of one's own"],
];

const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["GGML_LIBRARY", "the library to load, unless load() says another"],
  ["GGML_BACKEND_PATH", "a backend that ggml's registry loads too, where it may be read"],
  ["GGML_VK_VISIBLE_DEVICES", "the Vulkan devices to use"],
  ["CUDA_VISIBLE_DEVICES", "the CUDA devices to use"],
  ["DENO_DIR", "where Deno keeps what it downloads"],
];

/** Deno and the platform. */
export function runtimeSection(): Section {
  const { deno, v8 } = Deno.version;
  const { os, arch, target } = Deno.build;
  const version = `Deno ${deno} (V8 ${v8})`;
  return {
    title: "Runtime",
    findings: [
      isOlder(deno, OLDEST) ? problem(`${version} is older than ${OLDEST}`, "deno upgrade, or npx -y deno@latest") : ok(version),
      ok(`${os} on ${arch} (${target}), ${navigator.hardwareConcurrency} processors`),
    ],
  };
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map((part) => parseInt(part)));
  const i = b.findIndex((part, i) => part !== a[i]);
  return i >= 0 && a[i] < b[i];
}

/** True if native code may be called. */
export function mayCall(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** What is permitted. */
export function permissionSection(): Section {
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  const ffi = mayCall() ? ok("ffi: granted") : problem(`ffi: ${state}`, "run with --allow-ffi: without it no native library can be called");
  return { title: "Permissions", findings: [ffi, ...PERMISSIONS.map(permission)] };
}

function permission([descriptor, flag, gives]: typeof PERMISSIONS[number]): Finding {
  const { state } = Deno.permissions.querySync(descriptor);
  const name = flag.replace("--allow-", "");
  return state === "granted" ? ok(`${name}: granted`) : note(`${name}: ${state}`, `with ${flag} ${gives}`);
}

/** The variables that matter. */
export function environmentSection(): Section {
  return { title: "Environment", findings: VARIABLES.map(variable) };
}

function variable([name, meaning]: typeof VARIABLES[number]): Finding {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return note(`${name}: may not be read (${meaning})`);
  const value = Deno.env.get(name);
  return ok(`${name}${value ? `=${value}` : " is not set"} (${meaning})`);
}
