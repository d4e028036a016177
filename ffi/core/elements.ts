/**
 * `pointer[0]`, as C has it. Nobody knows how many elements there are, so there are none here; and as an object of JavaScript's takes any property,
 * `pointer[0] = 5` would be passed over. So it is an Error that says what to do instead.
 *
 * @module
 */

/**
 * Has the elements of a class's handles throw, when they are read and when they are set.
 *
 * The prototype that looks at the names stands behind the class's own members, which it doesn't make slower.
 *
 * @param instead What there is in place of the element of a handle.
 */
export function withoutElements({ prototype }: { readonly prototype: object }, instead: (index: string) => string): void {
  const expectName = (key: string | symbol, handle: object) => {
    if (typeof key === "string" && /^-?\d+$/.test(key)) {
      throw new TypeError(`[${key}] of a ${handle.constructor.name}: C doesn't say how many elements there are: ${instead(key)}`);
    }
  };
  const inherited = Object.create(Object.getPrototypeOf(prototype));
  const looking = new Proxy(inherited, {
    get(target, key, handle) {
      expectName(key, handle);
      return Reflect.get(target, key, handle);
    },
    set(target, key, value, handle) {
      expectName(key, handle);
      return Reflect.set(target, key, value, handle);
    },
  });
  Object.setPrototypeOf(prototype, looking);
}
