/**
 * Sizes, alignments and offsets by target ABI.
 *
 * Records follow gcc's place_field (stor-layout.c) where the target uses the Itanium rules, and what clang documents in
 * MicrosoftRecordLayoutBuilder where it uses Microsoft's. Sizes are bytes, positions inside a record are counted in bits.
 *
 * @module
 */

import type { CType, FieldDeclaration, RecordDeclaration } from "./model.ts";
import type { Target } from "./targets.ts";
import { resolve } from "./types.ts";

/** A size past this is refused: an object can't be larger than `PTRDIFF_MAX`, and a `number` must hold it in bits. */
export const MAX_SIZE = 2 ** 49;

/** The size of a type in bytes; null for functions and incomplete types. */
export function sizeOf(type: CType, target: Target): number | null {
  let count = 1;
  for (;;) {
    switch (type.kind) {
      case "basic":
        return count * target.sizes[type.name][0];
      case "pointer":
        return count * 8;
      case "array": {
        if (type.length === null) return null;
        count *= type.length;
        type = type.of;
        continue;
      }
      case "typedef":
        type = type.typedef.type;
        continue;
      case "record":
        return type.record.size === null ? null : count * type.record.size;
      case "enum":
        return type.enum.complete ? count * target.sizes[type.enum.type.name][0] : null;
      case "vector":
        return count * type.bytes;
      case "bitint":
        return count * bitIntSize(type.width);
      case "function":
        return null;
    }
  }
}

/** The alignment of a type in bytes; null for functions and incomplete records. */
export function alignOf(type: CType, target: Target): number | null {
  for (;;) {
    switch (type.kind) {
      case "basic":
        return target.sizes[type.name][1];
      case "pointer":
        return 8;
      case "array":
        type = type.of;
        continue;
      case "typedef":
        if (type.typedef.align !== undefined) return type.typedef.align;
        type = type.typedef.type;
        continue;
      case "record":
        return type.record.align;
      case "enum":
        return target.sizes[type.enum.type.name][1];
      case "vector":
        return type.bytes;
      case "bitint":
        return Math.min(bitIntSize(type.width), 8);
      case "function":
        return null;
    }
  }
}

/** x86-64 psABI: the smallest of 1, 2, 4, 8 bytes that holds it, then multiples of 8. */
function bitIntSize(width: number): number {
  return width <= 8 ? 1 : width <= 16 ? 2 : width <= 32 ? 4 : Math.ceil(width / 64) * 8;
}

/** A member as it was declared. */
export interface Member {
  readonly name: string | null;
  readonly type: CType;
  /** Width of a bit-field, else null. */
  readonly bits: number | null;
  /** Bytes that an attribute or `_Alignas` of the member asks for; 0 for none. */
  readonly align: number;
  readonly packed: boolean;
}

/** What the record's own attributes and pragmas say. */
export interface RecordRules {
  readonly packed: boolean;
  /** Bytes, 0 for none. */
  readonly align: number;
  /** `#pragma pack`, in bytes; 0 for none. */
  readonly pack: number;
  /** `#pragma ms_struct` or the attribute. */
  readonly microsoft: boolean;
}

/** A laid-out record. */
export interface Layout {
  readonly size: number;
  readonly align: number;
  readonly fields: FieldDeclaration[];
  /** The alignment that no packing around the record lowers, in Microsoft's layout. */
  readonly demand: number;
}

/** Lays a struct or union out. Every member's type is complete, but for a flexible array at the end. */
export function layoutRecord(kind: "struct" | "union", members: readonly Member[], rules: RecordRules, target: Target): Layout {
  return target.microsoft || rules.microsoft ? microsoft(kind, members, rules, target) : itanium(kind, members, rules, target);
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function itanium(kind: "struct" | "union", members: readonly Member[], rules: RecordRules, target: Target): Layout {
  const fields: FieldDeclaration[] = [];
  const cap = rules.pack * 8;
  let at = 0; // bits
  let end = 0; // bits
  let align = 8; // bits
  for (const member of members) {
    const size = (sizeOf(member.type, target) ?? 0) * 8;
    const natural = (alignOf(member.type, target) ?? 1) * 8;
    const packed = member.packed || rules.packed;
    const asked = member.align * 8;
    if (kind === "union") at = 0;
    if (member.bits === null) {
      let wanted = packed ? asked || 8 : Math.max(natural, asked);
      if (cap > 0) wanted = Math.min(wanted, cap);
      align = Math.max(align, wanted);
      at = up(at, wanted);
      fields.push({ name: member.name, type: member.type, offset: at / 8 });
      at += size;
    } else {
      // The declaration's own alignment: a zero width asks for its type's, whatever the packing.
      let wanted = member.bits === 0 ? Math.max(natural, asked) : packed ? asked || 1 : Math.max(1, asked);
      if (cap > 0 && member.bits > 0) wanted = Math.min(wanted, cap);
      if (member.name !== null || target.unnamedBitFieldsAlign) {
        const raised = cap > 0 ? Math.min(natural, cap) : packed ? 8 : natural;
        align = Math.max(align, wanted, raised);
      }
      at = up(at, wanted);
      // A bit-field may not span more units of its type's alignment than its type does.
      if (member.bits > 0 && cap === 0 && !packed && Math.ceil(((at % natural) + member.bits) / natural) > size / natural) {
        at = up(at, natural);
      }
      if (member.name !== null) fields.push(bitField(member, at, size));
      at += member.bits;
    }
    end = Math.max(end, at);
  }
  align = Math.max(align, rules.align * 8);
  return { size: up(end, align) / 8, align: align / 8, fields, demand: 1 };
}

/** The field of a bit-field at bit `at`, from the storage unit of its type that holds its first bit. */
function bitField(member: Member, at: number, size: number): FieldDeclaration {
  const unit = Math.floor(at / size) * size;
  return { name: member.name, type: member.type, offset: unit / 8, bitOffset: at - unit, bitWidth: member.bits! };
}

/** Alignments that records demand, whatever the packing around them: by `__declspec(align)`, theirs or a member's. */
const demands = new WeakMap<RecordDeclaration, number>();

/** Remembers what a laid-out record demands. */
export function setDemand(record: RecordDeclaration, layout: Layout): void {
  if (layout.demand > 1) demands.set(record, layout.demand);
}

/** A struct without members has this size in Microsoft's C. */
const EMPTY_SIZE = 4;

function microsoft(kind: "struct" | "union", members: readonly Member[], rules: RecordRules, target: Target): Layout {
  const fields: FieldDeclaration[] = [];
  const union = kind === "union";
  const cap = rules.packed ? 1 : rules.pack;
  let size = 0; // bytes
  let align = 1;
  let demand = Math.max(1, rules.align);
  let unit = 0; // bytes of the storage unit that bit-fields are being put in, 0 for none
  let left = 0; // bits left in it
  for (const member of members) {
    const bytes = sizeOf(member.type, target) ?? 0;
    let wanted = naturalAlign(member.type, target);
    const demanded = Math.max(member.align, demandOf(member.type));
    if (member.bits === null) demand = Math.max(demand, demanded);
    else wanted = Math.max(wanted, demanded);
    if (cap > 0) wanted = Math.min(wanted, cap);
    if (member.packed) wanted = 1;
    wanted = Math.max(wanted, demanded);
    if (member.bits === null) {
      unit = 0;
      align = Math.max(align, wanted);
      const offset = union ? 0 : up(size, wanted);
      fields.push({ name: member.name, type: member.type, offset });
      size = Math.max(size, offset + bytes);
    } else if (member.bits === 0) {
      if (unit === 0) continue; // ignored unless it follows a bit-field
      unit = 0;
      if (union) size = Math.max(size, bytes);
      else {
        align = Math.max(align, wanted);
        size = up(size, wanted);
      }
    } else if (!union && unit === bytes && member.bits <= left) {
      // Bit-fields share a unit only where their types have the same size.
      if (member.name !== null) fields.push(bitField(member, size * 8 - left, bytes * 8));
      left -= member.bits;
    } else {
      const offset = union ? 0 : up(size, wanted);
      if (member.name !== null) fields.push({ name: member.name, type: member.type, offset, bitOffset: 0, bitWidth: member.bits });
      unit = bytes;
      left = bytes * 8 - member.bits;
      if (!union) align = Math.max(align, wanted); // in a union bit-fields don't align
      size = Math.max(size, offset + bytes);
    }
  }
  align = Math.max(align, demand);
  size = up(size, Math.max(cap > 0 ? Math.min(align, cap) : align, demand));
  if (size === 0) size = demand >= EMPTY_SIZE ? align : EMPTY_SIZE;
  return { size, align, fields, demand };
}

/** A type's alignment without what its own typedefs ask for; those of an array's elements count. */
function naturalAlign(type: CType, target: Target): number {
  while (type.kind === "typedef") type = type.typedef.type;
  return alignOf(type, target) ?? 1;
}

/** What a type demands, by a typedef's attribute or as a record. */
function demandOf(type: CType): number {
  let most = 1;
  for (; type.kind === "typedef" || type.kind === "array"; type = type.kind === "array" ? type.of : type.typedef.type) {
    if (type.kind === "typedef") most = Math.max(most, type.typedef.align ?? 1);
  }
  return type.kind === "record" ? Math.max(most, demands.get(type.record) ?? 1) : most;
}

/** A member by name, searched through anonymous members (C17 6.7.2.1p13): its type and offset in bytes, null where there is none. */
export function findField(type: CType, name: string): { field: FieldDeclaration; offset: number } | null {
  const record = resolve(type);
  if (record.kind !== "record") return null;
  for (const field of record.record.fields) {
    if (field.name === name) return { field, offset: field.offset };
    if (field.name === null) {
      const inner = findField(field.type, name);
      if (inner !== null) return { field: inner.field, offset: field.offset + inner.offset };
    }
  }
  return null;
}
