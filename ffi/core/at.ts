/**
 * C functions by their addresses.
 *
 * @module
 */

/** What {@linkcode at} gives. */
export type AtAddress<P extends readonly Deno.NativeType[], R extends Deno.NativeResultType> = Deno.UnsafeFnPointer<
  { parameters: P; result: R }
>["call"];

/** A C function at an address, called without the trampoline that a symbol gets: cheaper for what is called once. */
export function at<const P extends readonly Deno.NativeType[], const R extends Deno.NativeResultType>(
  address: bigint,
  parameters: P,
  result: R,
): AtAddress<P, R> {
  const pointer = Deno.UnsafePointer.create(address) as Deno.PointerObject<{ parameters: P; result: R }>;
  const f = new Deno.UnsafeFnPointer<{ parameters: P; result: R }>(pointer, { parameters, result } as never);
  return f.call.bind(f) as never;
}

const POINTER = { type: "pointer" } as const;

/** The addresses of a Windows library's functions. */
export function windowsAddresses<const N extends readonly string[]>(file: string, names: N): Record<N[number], bigint> {
  const { symbols } = Deno.dlopen(file, Object.fromEntries(names.map((name) => [name, POINTER])));
  return Object.fromEntries(names.map((name) => [name, BigInt(Deno.UnsafePointer.value(symbols[name] as Deno.PointerValue))])) as never;
}
