/**
 * Several async generators as one.
 *
 * @module
 */

/** What one of them gave, or how it ended. */
export type Merged<T, R> = { readonly index: number } & ({ readonly value: T } | { readonly ended: R });

/** Gives what comes first, of each. If one fails, or the reader goes away, all are ended. */
export async function* merge<T, R>(generators: readonly AsyncGenerator<T, R, void>[]): AsyncGenerator<Merged<T, R>, void, void> {
  const next = (index: number) => generators[index].next().then((result) => ({ index, result }));
  const pending = new Map(generators.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        yield { index, ended: result.value };
      } else {
        pending.set(index, next(index));
        yield { index, value: result.value };
      }
    }
  } finally {
    for (const promise of pending.values()) promise.catch(() => {}); // what fails because it was ended
    await Promise.all(generators.map((generator) => generator.return(undefined as R).catch(() => {})));
  }
}
