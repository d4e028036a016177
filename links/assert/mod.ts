/**
 * Stands in for `jsr:@std/assert` where JSR can't be reached: the functions that this project uses, with the same signatures, by Node's
 * `assert`. A user of the published package gets the real one.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";

// deno-lint-ignore no-explicit-any
type Class<E extends Error> = abstract new (...args: any[]) => E;

export function assert(value: unknown, message = ""): asserts value {
  nodeAssert.ok(value, message || undefined);
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}

export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message);
}

export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  nodeAssert.ok(actual.includes(expected), message ?? `${JSON.stringify(actual)} does not include ${JSON.stringify(expected)}`);
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, message);
}

export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(fn: () => unknown, errorClass: Class<E>, includes?: string, message?: string): E;
export function assertThrows(fn: () => unknown, classOrMessage?: Class<Error> | string, includes?: string, message?: string): unknown {
  try {
    fn();
  } catch (error) {
    return expected(error, classOrMessage, includes, message);
  }
  nodeAssert.fail(messageOf(classOrMessage, message) ?? "expected the function to throw");
}

export async function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: Class<E>,
  includes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: Class<Error> | string,
  includes?: string,
  message?: string,
): Promise<unknown> {
  const failed = (why: string) => nodeAssert.fail(messageOf(classOrMessage, message) ?? why);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    return failed("expected a promise to reject, and the function threw");
  }
  try {
    await promise;
  } catch (error) {
    return expected(error, classOrMessage, includes, message);
  }
  failed("expected the promise to reject");
}

function messageOf(classOrMessage: Class<Error> | string | undefined, message: string | undefined): string | undefined {
  return typeof classOrMessage === "string" ? classOrMessage : message;
}

/** What was thrown, if it is of the class and says what it should; anything may be where no class is given. */
function expected(thrown: unknown, errorClass: Class<Error> | string | undefined, includes: string | undefined, message?: string): unknown {
  if (errorClass === undefined || typeof errorClass === "string") return thrown;
  nodeAssert.ok(thrown instanceof Error, message ?? `expected a ${errorClass.name}, got what is no Error: ${thrown}`);
  nodeAssert.ok(thrown instanceof errorClass, message ?? `expected a ${errorClass.name}, got ${thrown.name}: ${thrown.message}`);
  if (includes !== undefined) assertStringIncludes(thrown.message, includes, message);
  return thrown;
}
