/**
 * The runtime that a generated module carries: the declarations of runtime.ts that it uses, and what those use.
 *
 * @module
 */

import callbacks from "./runtime_callbacks.ts" with { type: "text" };
import pragmas from "./runtime_pragmas.ts" with { type: "text" };
import runtime from "./runtime.ts" with { type: "text" };

/** A top-level declaration with the comments before it. */
interface Piece {
  readonly name: string;
  readonly text: string;
  readonly uses: ReadonlySet<string>;
}

/** The pieces that a module's text needs, in an order in which they can be run. */
export function runtimeFor(text: string): string {
  const pieces = piecesOf(`${runtime}\n${callbacks}\n${pragmas}`);
  const byName = new Map(pieces.map((piece) => [piece.name, piece]));
  const needed = new Set<Piece>();
  const visit = (name: string): void => {
    const piece = byName.get(name);
    if (piece === undefined || needed.has(piece)) return;
    needed.add(piece);
    for (const used of piece.uses) visit(used);
  };
  for (const name of namesIn(text)) visit(name);
  return pieces.filter((piece) => needed.has(piece)).map((piece) => piece.text).join("\n\n") + "\n";
}

function piecesOf(source: string): Piece[] {
  return source.split(/\n\n(?=\/\*\*|\/\/)/).flatMap((block) => {
    const name = /^(?:export )?(?:abstract )?(?:function|class|const|let|type|interface) (\$\w+)/m.exec(block)?.[1];
    if (name === undefined) return []; // a module's own comment and imports
    const isPublic = /^export (?:abstract )?(?:class|type|interface) /m.test(block);
    const text = (isPublic ? block : block.replace(/^export /m, "")).trimEnd();
    return [{ name, text, uses: namesIn(text) }];
  });
}

function namesIn(text: string): Set<string> {
  return new Set(text.match(/\$[A-Za-z]\w*/g));
}
