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

export function assertThrows<E extends Error = Error>(fn: () => unknown, errorClass?: Class<E>, includes?: string, message?: string): E {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
  }
  return expectError(thrown, errorClass, includes, message ?? "expected the function to throw");
}

export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: Class<E>,
  includes?: string,
  message?: string,
): Promise<E> {
  let thrown: unknown;
  try {
    await fn();
  } catch (error) {
    thrown = error;
  }
  return expectError(thrown, errorClass, includes, message ?? "expected the promise to reject");
}

function expectError<E extends Error>(thrown: unknown, errorClass: Class<E> | undefined, includes: string | undefined, message: string): E {
  nodeAssert.ok(thrown instanceof Error, message);
  if (errorClass !== undefined) {
    nodeAssert.ok(thrown instanceof errorClass, `expected a ${errorClass.name}, got ${thrown.name}: ${thrown.message}`);
  }
  if (includes !== undefined) assertStringIncludes(thrown.message, includes);
  return thrown as E;
}
