// The loss as a picture: of letters in a terminal, and an SVG.

import { init, save, tensor } from "@ggml/deno/utils";

const EIGHTHS = " ▁▂▃▄▅▆▇█";

/** Columns as high as the mean loss of their part of the steps, from the lowest to the highest of them. */
export function curve(losses: readonly number[], width = 64, height = 8): string {
  const columns = means(losses, Math.min(width, losses.length));
  const most = Math.max(...columns), least = Math.min(...columns), range = most - least || 1;
  const lines = Array.from({ length: height }, (_, line) => {
    const label = line === 0 ? most.toFixed(2) : line === height - 1 ? least.toFixed(2) : "";
    const eighths = columns.map((loss) => Math.round(1 + (loss - least) / range * (height * 8 - 1)) - (height - 1 - line) * 8);
    return `${label.padStart(5)} │${eighths.map((n) => EIGHTHS[Math.min(Math.max(n, 0), 8)]).join("")}`;
  });
  return `${lines.join("\n")}\n      └${"─".repeat(columns.length)} ${losses.length} steps`;
}

/** The means of so many parts. */
function means(numbers: readonly number[], parts: number): number[] {
  const begin = (part: number) => Math.floor(part * numbers.length / parts);
  return Array.from({ length: parts }, (_, part) => {
    const some = numbers.slice(begin(part), begin(part + 1));
    return some.reduce((a, b) => a + b, 0) / some.length;
  });
}

/** Writes the curve as SVG, a point for each part of the steps. */
export async function saveCurve(losses: readonly number[], path: string): Promise<void> {
  using ctx = init();
  const points = tensor(ctx, Float32Array.from(means(losses, Math.min(400, losses.length))), { name: "loss, nats a byte" });
  await save(points, path);
}
