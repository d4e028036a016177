/**
 * The switch of the guards: the checks of what C would answer by `abort()`.
 *
 * @module
 */

/** Whether guards run. Arguments are checked for their types whatever this says. */
export const guards: { enabled: boolean } = { enabled: true };
