/**
 * Several async generators as one.
 *
 * @module
 */

/** What one of them gave, or how it ended. */
export type Merged<T, R> = { readonly index: number } & ({ readonly value: T } | { readonly ended: R });

/** Gives what comes first, of each. If one fails, or the reader goes away, all are ended. */
export async function* merge<T, R>(generators: readonly AsyncGenerator<T, R, void>[]): AsyncGenerator<Merged<T, R>, void, void> {
  const next = (index: number) => {
    const promise = generators[index].next().then((result) => ({ index, result }));
    promise.catch(() => {}); // it may fail while the reader is busy, or because it was ended: the reader hears of it when it asks
    return promise;
  };
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
    await Promise.all(generators.map((generator) => generator.return(undefined as R).catch(() => {})));
  }
}
