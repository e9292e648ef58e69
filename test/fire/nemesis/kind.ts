import type { Member } from "../stage/member.ts";
import type { Stage } from "../stage/stage.ts";

/** A kind of fault. */
export interface Kind {
  readonly name: string;
  /** What it is about; faults of a round are about different things. */
  readonly about: About;
  /** The services whose processes it may hit; the plan draws one process. */
  readonly services?: readonly string[];
  /** How long it lasts, in seconds: from, to. */
  readonly lasts: readonly [number, number];
  /** Within how many seconds of its end every service must make progress again. */
  readonly backWithin: number;
  /** What it counts, such as "commits ended". A run in which it counts nothing has not tried it. */
  readonly counts?: string;
  /** Why it cannot happen on this stage; null: it can. */
  impossible?(stage: Stage): string | null;
  /** Begins it; what is returned ends it. */
  begin(stage: Stage, member: Member, count: Count): Promise<() => Promise<void>>;
}

type About =
  | ("postgres" | "kafka" | "registry" | "gateway" | "webhooks")
  | ("member" | "all members");

/** Adds to what a kind counts. */
export type Count = (times: number) => void;

/** Of a kind that ends by itself. */
export const nothingToEnd = async (): Promise<void> => undefined;
