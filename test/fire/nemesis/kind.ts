import type { Member } from "../stage/member.ts";
import type { Stage } from "../stage/stage.ts";

/** A kind of fault. */
export interface Kind {
  readonly name: string;
  /** What it is about; faults of a round are about different things. */
  readonly about: "postgres" | "kafka" | "registry" | "gateway" | "member" | "all members";
  /** The services whose processes it may hit; the plan draws one process. */
  readonly services?: readonly string[];
  /** How long it lasts, in seconds: from, to. */
  readonly lasts: readonly [number, number];
  /** Within how many seconds of its end every service must make progress again. */
  readonly backWithin: number;
  /** A known fault of the product that this kind waits for; it is not drawn meanwhile. */
  readonly awaits?: string;
  /** Begins it; what is returned ends it. */
  begin(stage: Stage, member: Member): Promise<() => Promise<void>>;
}

/** Of a kind that ends by itself. */
export const nothingToEnd = async (): Promise<void> => undefined;
