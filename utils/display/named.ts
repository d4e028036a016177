/**
 * Errors that begin with the function that the caller called.
 *
 * @module
 */

/** Does something for a function of a name, which its errors begin with. */
export async function named<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw new Error(`${where}: ${withoutName((cause as Error).message)}`, { cause });
  }
}

/** A message without the name of the function that it is from. */
export function withoutName(message: string): string {
  return message.replace(/^\w+: /, "");
}
