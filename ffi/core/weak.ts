/**
 * Weak references: a list that holds its items weakly, and a reference that can be cut.
 *
 * V8 keeps what a `WeakRef` was made for until the event loop turns, which in a loop without an `await` is never. What such a loop makes and
 * ends itself is referred to by a {@linkcode Tie}, which lets go of it at once.
 *
 * @module
 */

/** Below this many items nothing is tidied up. */
const SMALL = 32;

/** What stands for an object where that is only known weakly: the object holds it, and it the object, until either is gone. */
export interface Tie<T> {
  target: T | null;
}

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
