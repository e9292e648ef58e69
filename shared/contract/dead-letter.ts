import { z } from "zod";
import { type DeadLetterPlace, placeText } from "../core/usage/dead-letter-place.ts";
import { cursorsOf, INSTANT, type PageRequest, pageOf, SMALL, TEXT, WHOLE } from "./cursor.ts";
import { noun } from "./noun.ts";
import { count, instant } from "./wire.ts";

/** An event that could not be metered. */
export const deadLetterFields = {
  place: z.string().meta({ example: "usage.events/2/1041" }),
  topic: z.string(),
  partition: z.number().int(),
  offset: count,
  account_id: z.string().nullable(),
  reason: z.string(),
  detail: z.string(),
  recorded_at: instant,
  state: z
    .enum(["open", "retrying", "retried", "dismissed"])
    .meta({ description: "open and retrying ones wait; retried ones were published again" }),
};

export const deadLetter = noun(deadLetterFields).meta({ title: "Dead letter" });

/** A dead letter that is about to be published again. */
export const retriedLetter = noun({
  outcome: z.enum(["asked", "asked_already"]),
  place: z.string(),
}).meta({ title: "Dead letter retry" });

/** How many dead letters are about to be published again, and how many cannot be. */
export const retriedLetters = noun({
  outcome: z.literal("asked"),
  asked: z.number().int(),
  asked_already: z.number().int(),
  without_bytes: z.number().int(),
  cut: z.number().int().meta({ description: "Too large to be kept whole." }),
}).meta({ title: "Dead letters retry" });

const dismissal = {
  outcome: z.literal("dismissed"),
  dismissed_by: z.string(),
  dismissed_reason: z.string(),
};

export const dismissedLetter = noun({ place: z.string(), ...dismissal }).meta({
  title: "Dead letter dismissal",
});
export const dismissedLetters = noun({ dismissed: z.number().int(), ...dismissal }).meta({
  title: "Dead letters dismissal",
});

type Recorded = DeadLetterPlace & { readonly recordedAt: number };

export function toDeadLetter<Letter extends DeadLetterPlace>(letter: Letter) {
  return { ...letter, place: placeText(letter) };
}

const cursors = cursorsOf("dead_letters", [INSTANT, TEXT, SMALL, WHOLE]);

/** A page of dead letters, newest first. `read` returns those recorded before one. */
export async function deadLetterPage<Letter extends Recorded>(
  { limit, cursor }: PageRequest,
  read: (asked: { before: Recorded | null; limit: number }) => Promise<readonly Letter[]>,
) {
  const from = cursors.read(cursor);
  const [recordedAt, topic = "", partition, offset = "0"] = from ?? [];
  const place = { topic, partition: Number(partition), offset: BigInt(offset) };
  const before = from === null ? null : { ...place, recordedAt: Number(recordedAt) };
  const letters = await read({ before, limit: limit + 1 });
  return pageOf(letters.map(toDeadLetter), limit, (last) =>
    cursors.of(last.recordedAt, last.topic, last.partition, last.offset),
  );
}
