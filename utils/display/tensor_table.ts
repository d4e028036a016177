/**
 * A tensor as a table: everything about it but its numbers.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { isView, nameOf, placeOf, rolesOf, typeAndDimensions, typeName } from "./facts.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { formatBytes } from "./units.ts";

/** The table of a tensor. */
export function tensorTable(tensor: lib.ggml_tensor): Markup {
  return table(`ggml_tensor${tensor.name === "" ? "" : ` ${tensor.name}`}`, rowsOf(tensor));
}

function rowsOf(tensor: lib.ggml_tensor): [label: string, value: string][] {
  const { ne, nb, type, view_offs: offset } = tensor;
  const shape = [...ne].reverse(), rank = ne.findLastIndex((n) => n !== 1) + 1;
  const rows: [string, string][] = [
    ["type", typeName(type)],
    ["shape (row-major)", `[${shape.slice(Math.min(shape.length - rank, shape.length - 1)).join(", ")}]`],
    ["ne (fastest first)", `[${ne.join(", ")}]`],
    ["nb (bytes, fastest first)", `[${nb.join(", ")}]`],
    ["size", formatBytes(lib.ggml_nbytes(tensor))],
    ["memory", `${placeOf(tensor)}${tensor.view_src === null || offset === 0 ? "" : `, from byte ${offset} on`}`],
    [isView(tensor) ? "view" : "operation", operationOf(tensor)],
  ];
  const roles = rolesOf(tensor);
  return roles.length === 0 ? rows : [...rows, ["set as", roles.join(", ")]];
}

function operationOf(tensor: lib.ggml_tensor): string {
  if (tensor.op === lib.GGML_OP_NONE) return "none";
  const sources = tensor.src.filter((source) => source !== null);
  return `${lib.ggml_op_desc(tensor)} of ${
    sources.map((source) => `${nameOf(source)} (${typeAndDimensions(source)})`).join(", ") || "nothing"
  }`;
}

/** A table of labels and values. */
export function table(title: string, rows: readonly (readonly [label: string, value: Content])[]): Markup {
  const cell = "text-align:left;vertical-align:top;padding:2px 12px 2px 0";
  return markup`<table style="border-collapse:collapse;font-size:12px;margin:0 0 8px"><caption style="text-align:left;font-weight:600;padding:0 0 4px">${title}</caption><tbody>${
    rows.map(([label, value]) =>
      markup`<tr><th scope="row" style="${cell};font-weight:normal;opacity:0.7">${label}</th><td style="${cell}">${value}</td></tr>`
    )
  }</tbody></table>`;
}
