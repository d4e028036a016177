/**
 * How often what C is told by fields changed: what was found out about a graph holds for as long as this number stays.
 *
 * @module
 */

/** Counts what changes tensors that exist: fields that were set, memory that an allocator gave or took. */
export const changes: { count: number } = { count: 0 };

/** Notes a change. */
export function changed(): void {
  changes.count++;
}
