/**
 * `pointer[0]`, as C has it. Nobody knows how many elements there are, so there are none here; and as an object of JavaScript's takes any property,
 * `pointer[0] = 5` would be passed over. So it is an Error that says what to do instead.
 *
 * @module
 */

/** The elements that are looked for: nobody begins with a later one. */
const FIRST = 16;

/**
 * Has the first elements of a class's handles throw, when they are read and when they are set.
 *
 * They are accessors and not a proxy among the prototypes, by which V8 would set each field of each new handle.
 *
 * @param instead What there is in place of the element of a handle.
 */
export function withoutElements({ prototype }: { readonly prototype: object }, instead: (index: number) => string): void {
  for (let index = 0; index < FIRST; index++) {
    const fail = function (this: object): never {
      throw new TypeError(`[${index}] of a ${this.constructor.name}: C doesn't say how many elements there are: ${instead(index)}`);
    };
    Object.defineProperty(prototype, index, { get: fail, set: fail });
  }
}
