/**
 * Values with their C types, and the conversions between them: C17 6.3.
 *
 * @module
 */

import * as I from "../tokens/integer.ts";
import type { Int } from "../tokens/integer.ts";
import type { BasicName, BasicType, CType } from "../model/model.ts";
import type { Parser } from "./parser.ts";
import * as T from "../model/types.ts";

/** A value. A pointer is an integer with a pointer type: only those made of integers have a value. */
export type Value =
  | { readonly kind: "int"; readonly type: CType; readonly value: Int }
  | { readonly kind: "float"; readonly type: CType; readonly value: number }
  | { readonly kind: "string"; readonly type: CType; readonly units: readonly number[]; readonly wide: boolean };

/** Thrown, and caught at evaluate.ts's edge: the expression is no constant. */
export class NotConstant {
  constructor(readonly reason: string) {}
}

/** Leaves the evaluation. */
export function not(reason: string): never {
  throw new NotConstant(reason);
}

/** Width in bits and signedness of an integer type. */
export function integerOf(p: Parser, type: CType): { bits: number; signed: boolean } {
  const t = T.bare(type);
  if (t.kind === "bitint") return { bits: t.width, signed: t.signed };
  const name = (t as BasicType).name;
  if (name === "_Bool") return { bits: 1, signed: false };
  const signed = name === "char" ? p.target.charSigned : !name.startsWith("unsigned");
  return { bits: p.target.sizes[name][0] * 8, signed };
}

const RANK: Partial<Record<BasicName, number>> = {
  "_Bool": 0,
  "char": 1,
  "signed char": 1,
  "unsigned char": 1,
  "short": 2,
  "unsigned short": 2,
  "int": 3,
  "unsigned int": 3,
  "long": 4,
  "unsigned long": 4,
  "long long": 5,
  "unsigned long long": 5,
  "__int128": 6,
  "unsigned __int128": 6,
};

const FLOAT_RANK: Partial<Record<BasicName, number>> = {
  "__bf16": 0,
  "_Float16": 0,
  "float": 1,
  "_Float32": 1.5,
  "double": 2,
  "_Float32x": 2.2,
  "_Float64": 2.5,
  "long double": 3,
  "_Float64x": 3.5,
  "_Float128": 4,
};

const UNSIGNED: Partial<Record<BasicName, BasicName>> = {
  "int": "unsigned int",
  "long": "unsigned long",
  "long long": "unsigned long long",
  "__int128": "unsigned __int128",
};

/** The integer promotions, C17 6.3.1.1p2. */
export function promote(type: CType): CType {
  const t = T.bare(type);
  if (t.kind !== "basic") return t;
  const rank = RANK[t.name];
  if (rank === undefined || rank >= 3) return t;
  return T.basic("int"); // every type below int fits in an int on these targets
}

/** The usual arithmetic conversions, C17 6.3.1.8. */
export function common(p: Parser, left: CType, right: CType): CType {
  const a = T.bare(left);
  const b = T.bare(right);
  if (a.kind === "vector") return a;
  if (b.kind === "vector") return b;
  if (a.kind === "basic" && b.kind === "basic") {
    const complex = a.name.startsWith("_Complex") || b.name.startsWith("_Complex");
    const part = (name: BasicName): BasicName => name.startsWith("_Complex ") ? name.slice(9) as BasicName : name;
    const fa = FLOAT_RANK[part(a.name)];
    const fb = FLOAT_RANK[part(b.name)];
    if (fa !== undefined || fb !== undefined) {
      const name = part((fa ?? -1) >= (fb ?? -1) ? a.name : b.name);
      return T.basic(complex ? `_Complex ${name}` as BasicName : name);
    }
  }
  const x = promote(a);
  const y = promote(b);
  if (x.kind === "bitint" || y.kind === "bitint") return wider(p, x, y);
  if (x.kind !== "basic" || y.kind !== "basic") not("an operand is not a number");
  if (x.name === y.name) return x;
  const ix = integerOf(p, x);
  const iy = integerOf(p, y);
  const rx = RANK[x.name] ?? 0;
  const ry = RANK[y.name] ?? 0;
  if (ix.signed === iy.signed) return rx >= ry ? x : y;
  const [u, ru, s, rs] = ix.signed ? [y, ry, x, rx] : [x, rx, y, ry];
  if (ru >= rs) return u;
  if (integerOf(p, s).bits > integerOf(p, u).bits) return s;
  return T.basic(UNSIGNED[s.name] ?? s.name);
}

function wider(p: Parser, a: CType, b: CType): CType {
  const x = integerOf(p, a);
  const y = integerOf(p, b);
  if (x.bits !== y.bits) return x.bits > y.bits ? a : b;
  return a.kind === "bitint" ? b : a;
}

/** Converts a value to a type, as a cast does. */
export function convert(p: Parser, from: Value, to: CType): Value {
  const t = T.resolve(to);
  if (t.kind === "pointer") {
    if (from.kind === "int") return { kind: "int", type: to, value: I.wrap(from.value, 64, false) };
    if (from.kind === "string") return { ...from, type: to };
    not("a floating value is made a pointer");
  }
  if (T.isInteger(t)) {
    if (t.kind === "basic" && t.name === "_Bool") {
      if (from.kind === "string") return { kind: "int", type: to, value: 1 };
      return { kind: "int", type: to, value: from.value === 0 ? 0 : 1 };
    }
    const { bits, signed } = integerOf(p, t);
    if (from.kind === "int") return { kind: "int", type: to, value: I.wrap(from.value, bits, signed) };
    if (from.kind === "float") {
      if (!Number.isFinite(from.value)) not("an infinite value is made an integer");
      const whole = Math.trunc(from.value) + 0;
      return { kind: "int", type: to, value: I.wrap(Number.isSafeInteger(whole) ? whole : I.normal(BigInt(whole)), bits, signed) };
    }
    return not("an address is made an integer");
  }
  if (T.isFloat(t)) {
    if (from.kind === "string") not("an address is made a floating value");
    const number = Number(from.value);
    const name = (t as BasicType).name;
    return { kind: "float", type: to, value: name === "float" || name === "_Float32" ? Math.fround(number) : number };
  }
  if (T.isVoid(t)) return not("it has no value");
  return not(`a conversion to '${T.printType(to)}'`);
}
