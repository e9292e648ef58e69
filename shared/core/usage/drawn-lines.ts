import { least, type MicroCredits } from "../line/credit-line.ts";
import { type EventLine, linesOf, type UsedMeters } from "./event-lines.ts";

/** A metered event, as far as it says what its lines drew. */
export interface DrawnEvent {
  readonly event: UsedMeters;
  /** What expired lots pay of it. */
  readonly givenBack: MicroCredits;
  /** Where on the line the rest starts. */
  readonly start: MicroCredits;
  /** What each of its lines costs, in their order. */
  readonly lineCredits: readonly MicroCredits[];
}

/** A line of an event as it was drawn: `[start, start + credits - givenBack)`. */
interface DrawnLine extends EventLine {
  readonly credits: MicroCredits;
  readonly givenBack: MicroCredits;
  readonly start: MicroCredits;
}

/** What each line of an event drew, one behind the other. Expired lots pay for the first ones. */
export function drawnLines({ event, givenBack, start, lineCredits }: DrawnEvent): DrawnLine[] {
  let left = givenBack;
  let at = start;
  return linesOf(event).map((line, place) => {
    const credits = lineCredits[place] ?? 0n;
    const back = least(left, credits);
    const drawn = { ...line, credits, givenBack: back, start: at };
    left -= back;
    at += credits - back;
    return drawn;
  });
}
