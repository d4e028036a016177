/**
 * Finds the prebuilt package, which takes an `await`, before any function can be called.
 *
 * It is a module of its own, so that no other one waits: the generated files import each other, and a bundler can't order modules that do both.
 *
 * @module
 */

import { fallBackOn, isNamed } from "./library.ts";
import { findPackage } from "./npm.ts";

if (!isNamed()) fallBackOn(await findPackage());
