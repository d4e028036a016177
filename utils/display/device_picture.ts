/**
 * A device or a backend as a card.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { type DeviceFacts, readDevice } from "./facts.ts";
import { GREY, INK, type Markup, markup, type Picture, round, text, widthOf } from "./svg.ts";
import { memoryText } from "./text.ts";

const WIDTH = 460, PAD = 14, LINE = 20, LABEL = 96, CHIP = 18;

/** Draws a device. */
export function devicePicture(device: lib.ggml_backend_device, kind = "ggml_backend_device"): Picture {
  const facts = readDevice(device), { name, description, type } = facts;
  const width = Math.max(WIDTH, widthOf(description) + LABEL + 2 * PAD, widthOf(`${kind} ${name}`, 14, true) + 100);
  const inner = width - LABEL - 2 * PAD;
  let y = 46;
  const rows = rowsOf(facts).map(([label, content]) => {
    const row = content(inner), at = y;
    y += row.height;
    return markup`<g transform="translate(${PAD} ${at})">${
      text(0, 12, label, { opacity: 0.7 })
    }<g transform="translate(${LABEL} 0)">${row.body}</g></g>`;
  });
  const title = `${kind} ${name}`;
  const badge = widthOf(type, 11, true) + 14;
  const body = markup`<rect x="0.5" y="0.5" width="${width - 1}" height="${y + 5}" rx="6" fill="none" stroke="${GREY}"/>${
    text(PAD, 26, title, { size: 14, bold: true })
  }<rect x="${round(width - PAD - badge)}" y="12" width="${round(badge)}" height="20" rx="10" fill="#cfe3fb"/>${
    text(width - PAD - badge / 2, 26, type, { size: 11, bold: true, anchor: "middle", fill: INK })
  }${rows}`;
  return { width, height: y + 7, title, body };
}

/** Draws a backend: its device, with its own name. */
export function backendPicture(backend: lib.ggml_backend): Picture {
  return devicePicture(lib.ggml_backend_get_device(backend), `ggml_backend ${lib.ggml_backend_name(backend)} on device`);
}

interface Row {
  readonly height: number;
  readonly body: Markup;
}

function rowsOf(facts: DeviceFacts): [label: string, content: (width: number) => Row][] {
  const { description, memory, id, backend, capabilities, features } = facts;
  const word = (content: string) => (): Row => ({ height: LINE, body: text(0, 12, content) });
  const rows: [string, (width: number) => Row][] = [["description", word(description)], ["memory", word(memoryText(facts))]];
  if (memory.total > 0) rows.push(["", (width) => memoryBar(memory, width)]);
  if (id !== null) rows.push(["id", word(id)]);
  if (backend !== "") rows.push(["backend", word(backend)]);
  if (capabilities.length > 0) rows.push(["can", (width) => chips(capabilities, width)]);
  if (features.length > 0) {
    rows.push(["features", (width) => chips(features.map(([name, value]) => value === "1" ? name : `${name} = ${value}`), width)]);
  }
  return rows;
}

function memoryBar({ free, total }: DeviceFacts["memory"], width: number): Row {
  const used = Math.min(1, Math.max(0, 1 - free / total)) * width;
  return {
    height: LINE - 4,
    body: markup`<rect x="0" y="0" width="${round(used)}" height="9" fill="#77aadd"/><rect x="0.5" y="0.5" width="${
      round(width - 1)
    }" height="8" fill="none" stroke="${GREY}"/>`,
  };
}

/** Words in frames, as many in a line as fit. */
function chips(words: readonly string[], width: number): Row {
  let x = 0, y = 0;
  const body = words.map((word) => {
    const wide = widthOf(word, 10) + 12;
    if (x > 0 && x + wide > width) {
      x = 0;
      y += CHIP + 4;
    }
    const at = x;
    x += wide + 5;
    return markup`<rect x="${round(at + 0.5)}" y="${y + 0.5}" width="${round(wide)}" height="${
      CHIP - 1
    }" rx="4" fill="none" stroke="${GREY}"/>${text(at + wide / 2, y + 13, word, { size: 10, anchor: "middle" })}`;
  });
  return { height: y + CHIP + 8, body: markup`${body}` };
}
