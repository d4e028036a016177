/**
 * Where this repository is.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

/** The folder of `deno.json`. */
export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url));
