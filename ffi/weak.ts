/**
 * A list that holds its items weakly: those that were garbage-collected are no longer in it.
 *
 * @module
 */

/** Below this many items nothing is tidied up. */
const SMALL = 32;

/** Items that can be listed without keeping them alive. An item is in it as often as it was added. */
export class WeakList<T extends WeakKey> {
  #items: WeakRef<T>[] = [];
  /** How long the list may grow before the dead are dropped: twice what lived the last time, so that adding stays cheap. */
  #limit = SMALL;

  add(item: T): void {
    if (this.#items.length >= this.#limit) {
      this.#items = this.#items.filter((ref) => ref.deref() !== undefined);
      this.#limit = Math.max(SMALL, 2 * this.#items.length);
    }
    this.#items.push(new WeakRef(item));
  }

  /** The items that live, oldest first. */
  *[Symbol.iterator](): Generator<T> {
    for (const ref of this.#items) {
      const item = ref.deref();
      if (item !== undefined) yield item;
    }
  }
}
