import { countText } from "../../core/text/text.ts";
import { type Problem, short } from "../problem.ts";

/** Problems in their order: the first hundred, and how many more there are. */
export interface ProblemList {
  add(line: number, field: string, problem: string): void;
  all(): readonly Problem[];
}

const MOST_LISTED = 100;

export function listProblems(): ProblemList {
  const listed: Problem[] = [];
  let more = 0;
  return {
    add(line, field, problem) {
      if (listed.length < MOST_LISTED) listed.push({ line, field: short(field), problem });
      else more += 1;
    },
    all() {
      if (more === 0) return listed;
      const problem = `has ${countText(more)} more problems, which are not listed`;
      return [...listed, { line: listed.at(-1)?.line ?? 0, field: "", problem }];
    },
  };
}
