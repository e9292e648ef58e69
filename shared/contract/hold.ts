import { z } from "zod";
import { type Hold, heldBy } from "../core/holds/hold.ts";
import { cursorsOf, INSTANT, type PageRequest, pageOf, TEXT } from "./cursor.ts";
import { noun } from "./noun.ts";
import { accountId, credits, instant } from "./wire.ts";

/** Credits set aside for usage to come. */
export const hold = noun({
  account_id: accountId,
  hold_id: z.string(),
  status: z.enum(["open", "captured", "released", "expired"]),
  asked: credits,
  credits: credits.meta({ description: "What was given: less than asked for if `partial`." }),
  used: credits.meta({ description: "By usage that named it." }),
  captured: credits.nullable().meta({ description: "The final amount; null: not captured." }),
  held: credits.meta({
    description: "What it sets aside now: what was given or captured and is not used yet.",
  }),
  requested_by: z.string(),
  created_at: instant,
  expires_at: instant.meta({ description: "From then on it sets nothing aside." }),
  ended_at: instant.nullable().meta({ description: "Since when it sets nothing aside." }),
}).meta({ title: "Hold" });

export function toHold(of: Hold) {
  return { ...of, held: heldBy(of) };
}

const cursors = cursorsOf("holds", [INSTANT, TEXT]);

const endedCursors = cursorsOf("ended-holds", [INSTANT, TEXT]);

/** A page of an account's ended holds; `read` reads up to a number of those before a place (null: the start). */
export async function endedHoldPage(
  { limit, cursor }: PageRequest,
  read: (range: {
    readonly before: { readonly at: number; readonly holdId: string } | null;
    readonly limit: number;
  }) => Promise<readonly Hold[]>,
) {
  const place = endedCursors.read(cursor);
  const before = place === null ? null : { at: Number(place[0]), holdId: place[1] ?? "" };
  const holds = await read({ before, limit: limit + 1 });
  return pageOf(holds.map(toHold), limit, ({ endedAt, holdId }) =>
    endedCursors.of(endedAt ?? 0, holdId),
  );
}

/** A page of an account's open holds; `read` reads up to a number of those after a place. */
export async function holdPage(
  { limit, cursor }: PageRequest,
  read: (range: {
    readonly after: Pick<Hold, "expiresAt" | "holdId">;
    readonly limit: number;
  }) => Promise<readonly Hold[]>,
) {
  const [at = "0", holdId = ""] = cursors.read(cursor) ?? [];
  const holds = await read({ after: { expiresAt: Number(at), holdId }, limit: limit + 1 });
  return pageOf(holds.map(toHold), limit, (last) => cursors.of(last.expiresAt, last.holdId));
}
