/**
 * What comes after a call of C: at once after a synchronous one, and after an asynchronous one when its promise has settled.
 *
 * What is put around functions (`watch.ts`, `threads.ts`) doesn't know which it gets.
 *
 * @module
 */

/** A result, or the promise of one. */
export type Later<T> = T | Promise<T>;

/** Goes on with a result. Where C failed in an asynchronous call there is none. */
export function after<T, R>(result: Later<T>, then: (result: T) => R): Later<Awaited<R>> {
  return (result instanceof Promise ? result.then(then) : then(result)) as Later<Awaited<R>>;
}

/** Runs something, and does what must be done in the end, however that went. */
export function lastly<T>(run: () => Later<T>, end: () => void): Later<T> {
  let result: Later<T>;
  try {
    result = run();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end);
  end();
  return result;
}
