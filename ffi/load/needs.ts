/**
 * What a system lacks for a library, by what its loader says of it.
 *
 * @module
 */

const OWN = "Or build ggml on this system, and name it with load({ path }) or GGML_LIBRARY (docs/your-own-ggml.md).";

/** By what is said: what is lacking, and what to do about it. */
const NEEDS: readonly (readonly [RegExp, string])[] = [
  [/version `GLIBC_2\.\d+' not found/, `The prebuilt libraries need glibc 2.34 or newer, and this system's is older. ${OWN}`],
  [
    /^Error (loading shared library .* \(needed by|relocating )/,
    `This system's C library is musl, as Alpine's, and the prebuilt libraries are for glibc 2.34 or newer. ${OWN}`,
  ],
  [/^libstdc\+\+\.so\S*: cannot open/, "The C++ library is missing (on Debian: apt-get install libstdc++6)."],
  [/failed to map segment/, "The file system that it lies on is mounted with noexec: have DENO_DIR, or the library, on another one."],
  [
    /os error 126/,
    "It, or what it is linked with, isn't there: if it is, then Microsoft's \"Visual C++ Redistributable\" is missing (MSVCP140.dll, VCRUNTIME140.dll).",
  ],
];

/** What is lacking, from the reasons why files can't be opened, each said once. */
export function needsOf(reasons: readonly string[]): string[] {
  return NEEDS.filter(([pattern]) => reasons.some((reason) => pattern.test(reason))).map(([, need]) => need);
}
