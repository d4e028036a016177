/**
 * Calls on behalf of another function: what fails there is an error of the function that the caller called, and doesn't name one that he never
 * wrote.
 *
 * @module
 */

/**
 * What a function of the library gives.
 *
 * @param where What the caller called, for errors.
 * @param call The function.
 */
export function onBehalf<A extends readonly unknown[], T>(where: string, call: (...args: A) => T, ...args: A): T {
  try {
    return call(...args);
  } catch (error) {
    throw renamed(error, call.name, where);
  }
}

/** An error of a function's, which begins by its name, as one of another's. What others threw, such as a callback, stays as it is. */
export function renamed(error: unknown, name: string, where: string): unknown {
  if (!(error instanceof Error)) return error;
  const own = new RegExp(`^${name}(?:\\(\\w+\\))?: `), { message } = error;
  if (!own.test(message)) return error;
  return new (error.constructor as ErrorConstructor)(message.replace(own, () => `${where}: `), { cause: error });
}
