import { CST, Lexer } from "yaml";
import { countText } from "../core/text/text.ts";
import type { Problem } from "./problem.ts";

/** Far more than a catalogue needs. */
const MOST_LEXEMES = 500_000;
const DEEPEST = 16;

/**
 * Why YAML or JSON is too large or too deep to parse; null: it is not. The parser of `yaml` is recursive,
 * and some texts of a megabyte take gigabytes or the whole stack. Its lexer is safe for any text.
 */
export function limitProblem(text: string): Problem | null {
  let line = 1;
  let lexemes = 0;
  const levels = levelCounter();
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    const depth = levels.after(lexeme);
    if (depth > DEEPEST) {
      return { line, field: "", problem: `is nested more than ${DEEPEST} levels deep` };
    }
    if (lexemes > MOST_LEXEMES) {
      const most = countText(MOST_LEXEMES);
      return { line, field: "", problem: `has more than ${most} words and signs; split it` };
    }
    line += linesIn(lexeme);
  }
  return null;
}

/** The nesting depth after each lexeme: of brackets, or of indentation and signs such as "- - ". */
function levelCounter(): { after(lexeme: string): number } {
  let brackets = 0;
  let signs = 0;
  let isContent = false;
  let isLineStart = true;
  const indents: number[] = [];

  function indent(width: number): void {
    while ((indents.at(-1) ?? -1) >= width) indents.pop();
    indents.push(width);
    signs = 0;
  }

  function count(type: ReturnType<typeof CST.tokenType>): void {
    if (type === "flow-map-start" || type === "flow-seq-start") brackets += 1;
    else if (type === "flow-map-end" || type === "flow-seq-end") brackets -= 1;
    else if (brackets === 0 && type !== null && SIGNS.has(type)) signs += 1;
  }

  return {
    after(lexeme) {
      const type = isContent ? null : CST.tokenType(lexeme);
      isContent = type === "scalar";
      if (isLineStart && brackets === 0) indent(type === "space" ? lexeme.length : 0);
      isLineStart = type === "newline";
      count(type);
      return Math.max(brackets, signs, indents.length);
    },
  };
}

const SIGNS: ReadonlySet<string> = new Set(["seq-item-ind", "explicit-key-ind", "map-value-ind"]);

function linesIn(lexeme: string): number {
  let lines = 0;
  for (let at = lexeme.indexOf("\n"); at >= 0; at = lexeme.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
