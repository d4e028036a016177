/**
 * What `__has_attribute`, `__has_builtin` and `__has_feature` answer: as gcc 12 does, whose predefined macros we show.
 *
 * @module
 */

import { BUILTINS } from "./builtins.ts";

const ATTRIBUTES = new Set(
  ("access alias aligned alloc_align alloc_size always_inline artificial assume_aligned cold common const constructor copy deprecated " +
    "designated_init destructor error externally_visible fallthrough fd_arg fd_arg_read fd_arg_write flatten format format_arg gnu_inline hot " +
    "ifunc leaf malloc may_alias mode ms_abi naked no_icf no_instrument_function no_profile_instrument_function no_reorder no_sanitize " +
    "no_sanitize_address no_split_stack no_stack_protector noclone nocommon noinline noipa nonnull nonstring noplt noreturn nothrow optimize " +
    "packed patchable_function_entry pure regparm retain returns_nonnull returns_twice scalar_storage_order section sentinel simd " +
    "stack_protect symver sysv_abi target target_clones tls_model transparent_union unavailable uninitialized unused used vector_size " +
    "visibility warn_unused_result warning weak weakref zero_call_used_regs warn_if_not_aligned no_address_safety_analysis cleanup noinit")
    .split(" "),
);

const STANDARD: Record<string, number> = {
  deprecated: 201904,
  fallthrough: 201910,
  maybe_unused: 202106,
  nodiscard: 202003,
  noreturn: 202202,
  _Noreturn: 202202,
};

/** `__has_attribute(name)`, `__has_c_attribute(name)`: 0, or a version. */
export function hasAttribute(operator: string, operand: string): number {
  const name = bare(operand.replace(/^(__gnu__|gnu)::/, ""));
  const scoped = operand.includes("::");
  if (operator === "__has_c_attribute" && !scoped) return STANDARD[name] ?? 0;
  if (operator === "__has_cpp_attribute" && !scoped && STANDARD[name] !== undefined) return STANDARD[name];
  return ATTRIBUTES.has(name) ? 1 : 0;
}

/** `__x__` is the same attribute as `x`. */
function bare(name: string): string {
  return name.length > 4 && name.startsWith("__") && name.endsWith("__") ? name.slice(2, -2) : name;
}

let names: Set<string> | undefined;

/** `__has_builtin(name)`. */
export function hasBuiltin(name: string): boolean {
  if (name.startsWith("__sync_") || name.startsWith("__atomic_") || name.startsWith("__builtin_ia32_")) return true;
  if (!name.startsWith("__builtin_")) return false;
  names ??= new Set(BUILTINS.split(" "));
  return names.has(name.slice("__builtin_".length));
}

/** `__has_feature(name)`: gcc 12 has no such operator, and headers that ask it after a `#define __has_feature(x) 0` get 0. */
export function hasFeature(_name: string): boolean {
  return false;
}
