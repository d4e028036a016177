/**
 * Writes the struct classes of a generated module: a getter and a setter a field, at the offsets that the target's ABI gives it.
 *
 * @module
 */

import type { Api, BoundField, BoundRecord } from "../api/api.ts";
import { nativeFields } from "../api/native.ts";
import { doc, list, type Printer } from "../print.ts";
import { declaration } from "../api/prototype.ts";
import type { RecordDeclaration, TargetName } from "../../model/model.ts";
import { accessorOf } from "./fields.ts";
import { freeOf, type Place } from "./shared.ts";

/** Writes every class. */
export function writeStructs({ records, crossings }: Api, target: TargetName, place: Place, printer: Printer): void {
  const inner = (record: RecordDeclaration) => {
    const name = crossings.className(record);
    return name === null ? null : `${name}.native`;
  };
  const nativeOf = ({ declaration }: BoundRecord) => nativeFields(declaration, target, inner);
  for (const record of records) writeClass(record, nativeOf(record), place, printer);
}

function writeClass(record: BoundRecord, native: readonly string[] | null, place: Place, printer: Printer): void {
  const { declaration: { kind, name: tag, size }, name, fields } = record;
  if (size !== null) writeInit(record, printer);
  printer.gap();
  printer.line(doc("", `\`${kind} ${tag ?? name}\` (${place(record.declaration)}), ${size === null ? "opaque" : `${size} bytes`}.`));
  printer.line(`export class ${name} extends ${size === null ? "$Handle" : "$Struct"} {`);
  printer.line(`  declare readonly $struct: "${name}";`);
  if (size !== null) {
    printer.line(`  static readonly size = ${size};`);
    printer.gap();
    // A getter, because the classes that it names may come later.
    if (native !== null) {
      printer.line("  static get native(): readonly Deno.NativeType[] {", list("    return [", native, "];"), "  }");
      printer.gap();
    }
    printer.line(`  constructor(init: $Init<$${name}_fields> = {}, owner?: $Owner) {`, "    super(init, owner);", "  }");
  }
  for (const field of fields) writeField(field, name, printer);
  const free = freeOf(record);
  if (free !== null) {
    printer.gap();
    printer.line(doc("  ", `Frees it, by \`${free}\`; does nothing if it was freed already.`));
    printer.line("  [Symbol.dispose](): void {", `    if (!this.owner.freed) ${free}(this);`, "  }");
  }
  printer.line("}");
}

/** The fields that a new struct can be given. */
function writeInit({ name, fields }: BoundRecord, printer: Printer): void {
  const settable = fields.flatMap((field) => {
    const { set, input } = accessorOf(field, name);
    return set === null ? [] : [`${field.name}?: ${input}`];
  });
  printer.gap();
  printer.line(doc("", `What a new \`${name}\` can be given; what isn't given is zero.`));
  if (settable.length === 0) printer.line(`export type $${name}_fields = Record<never, never>;`);
  else printer.line(`export interface $${name}_fields {`, ...settable.map((field) => `  ${field};`), "}");
}

function writeField(field: BoundField, record: string, printer: Printer): void {
  const { get, set, type, input } = accessorOf(field, record);
  const width = field.bits === null ? "" : ` : ${field.bits.width}`;
  printer.gap();
  printer.line(doc("  ", `\`${declaration(field.name, field.type)}${width}\``));
  printer.line(`  get ${field.name}(): ${type} {`, ...get.map((line) => `    ${line}`), "  }");
  if (set !== null) printer.line(`  set ${field.name}(value: ${input}) {`, ...set.map((line) => `    ${line}`), "  }");
}
