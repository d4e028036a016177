/**
 * The part of the runtime of generated modules that calls through function pointers, either way; see runtime.ts.
 *
 * @module
 */

import {
  $bool,
  type $Data,
  $data,
  $float,
  $fromInt64,
  $fromString,
  $Handle,
  $handle,
  $int32,
  $int64,
  $Owner,
  $Pointer,
  $small,
  $smallUnsigned,
  $STATIC,
  $string,
  type $Struct,
  $structBytes,
  type $Symbol,
  $uint32,
  $uint64,
  $wrong,
} from "./runtime.ts";

/** How one value crosses in a call through a function pointer, either way. */
export interface $Slot {
  readonly native: Deno.NativeType | "void";
  // deno-lint-ignore no-explicit-any
  toC(value: any, where: string): unknown;
  // deno-lint-ignore no-explicit-any
  fromC(value: any): unknown;
}

/** `void`, `bool` and the numbers, by their FFI names. */
export const $SCALARS = {
  void: { native: "void", toC: () => undefined, fromC: () => undefined },
  bool: { native: "bool", toC: $bool, fromC: (value: boolean) => value },
  i8: { native: "i8", toC: (value: number, where: string) => $small(value, 8, where), fromC: (value: number) => value },
  u8: { native: "u8", toC: (value: number, where: string) => $smallUnsigned(value, 8, where), fromC: (value: number) => value },
  i16: { native: "i16", toC: (value: number, where: string) => $small(value, 16, where), fromC: (value: number) => value },
  u16: { native: "u16", toC: (value: number, where: string) => $smallUnsigned(value, 16, where), fromC: (value: number) => value },
  i32: { native: "i32", toC: $int32, fromC: (value: number) => value },
  u32: { native: "u32", toC: $uint32, fromC: (value: number) => value },
  i64: { native: "i64", toC: $int64, fromC: $fromInt64 },
  u64: { native: "u64", toC: $uint64, fromC: $fromInt64 },
  f32: { native: "f32", toC: $float, fromC: (value: number) => value },
  f64: { native: "f64", toC: $float, fromC: (value: number) => value },
} as const satisfies Record<string, $Slot>;

/** Integers of 64 bits as bigints. */
export const $EXACT = {
  i64: { native: "i64", toC: $int64, fromC: (value: bigint) => value },
  u64: { native: "u64", toC: $uint64, fromC: (value: bigint) => value },
} as const satisfies Record<string, $Slot>;

/** `const char *`. */
export const $STRING: $Slot = {
  native: "pointer",
  toC(value: string | null, where) {
    const bytes = $string(value, where);
    if (bytes === null) return null;
    $STATIC.keep(bytes); // C doesn't say for how long it looks
    return Deno.UnsafePointer.of(bytes);
  },
  fromC: $fromString,
};

/** `void *` and pointers to numbers. */
export const $POINTER: $Slot = {
  native: "pointer",
  toC(value: $Data | null | undefined, where) {
    const data = $data(value ?? null, 0, where);
    return data === null ? null : Deno.UnsafePointer.of(data);
  },
  fromC: (value: Deno.PointerValue) => $Pointer.from(value),
};

/** A pointer to a struct, or to a function. */
export function $handleSlot(wrapper: new (address: bigint, owner: $Owner) => $Handle): $Slot {
  return {
    native: "u64",
    toC: (value: $Handle | null, where) => $handle(value, wrapper, where),
    fromC: (address: bigint) => address === 0n ? null : new wrapper(address, $STATIC),
  };
}

/** A struct by value. */
export function $structSlot(
  wrapper: (new (bytes: Uint8Array<ArrayBuffer>) => $Struct) & { readonly native: readonly Deno.NativeType[] },
): $Slot {
  return {
    native: { struct: wrapper.native },
    toC: (value: $Struct, where) => $structBytes(value, wrapper, where),
    fromC: (bytes: Uint8Array) => new wrapper(new Uint8Array(bytes)),
  };
}

/** A function type's parameters and result. */
export interface $Signature {
  readonly parameters: readonly $Slot[];
  readonly result: $Slot;
}

/**
 * A function pointer. `F` is the TypeScript function that C may be given, `C` the same function type as TypeScript calls it.
 *
 * Deno can't run a callback on another thread while a synchronous call blocks this one.
 */
export abstract class $Callback<F extends $Symbol = $Symbol, C extends $Symbol = F> extends $Handle {
  readonly #native: Deno.UnsafeCallback | null;

  /**
   * @param init The TypeScript function that C shall call, or the address of a C function.
   * @param owner With an address: what keeps it valid.
   */
  constructor(init: F | bigint, owner: $Owner = $STATIC) {
    if (typeof init === "bigint") {
      super(init, owner);
      this.#native = null;
      return;
    }
    const { name, signature } = new.target as unknown as { readonly name: string; readonly signature: $Signature };
    if (typeof init !== "function") throw $wrong(init, "a function", `new ${name}`);
    const { parameters, result } = signature;
    const native = new Deno.UnsafeCallback(
      $definition(signature),
      ((...args: unknown[]) => result.toC(init(...parameters.map((slot, i) => slot.fromC(args[i]))), `the result of a ${name}`)) as () =>
        void,
    );
    const address = BigInt(Deno.UnsafePointer.value(native.pointer));
    super(address, new $Owner(address));
    this.owner.keep(native);
    this.#native = native;
  }

  /** Calls the function: C's, or the TypeScript one by way of C. */
  get call(): C {
    const { name, signature } = this.constructor as unknown as { readonly name: string; readonly signature: $Signature };
    const { parameters, result } = signature;
    const pointer = this.pointer as Deno.PointerObject<never>;
    const target = new Deno.UnsafeFnPointer(pointer, $definition(signature)) as unknown as { call: $Symbol };
    return ((...args: unknown[]) => {
      if (args.length !== parameters.length) throw new TypeError(`${name}: expected ${parameters.length} arguments, got ${args.length}`);
      return result.fromC(target.call(...parameters.map((slot, i) => slot.toC(args[i], `${name}(${i})`))));
    }) as C;
  }

  /** Gives the C side of a TypeScript callback back. C must not call it any more. */
  [Symbol.dispose](): void {
    if (this.#native === null || this.owner.freed) return;
    this.owner.freed = true;
    this.#native.close();
  }
}

/** A function type as Deno describes it. */
function $definition({ parameters, result }: $Signature): Deno.UnsafeCallbackDefinition {
  return { parameters: parameters.map((slot) => slot.native as Deno.NativeType), result: result.native as Deno.NativeResultType };
}
