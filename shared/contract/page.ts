import { z } from "zod";
import { noun } from "./noun.ts";

/** Two ids as long as ids may be, of characters that take six in JSON, in base64. */
const MOST_CURSOR = 5_000;

const PAGE = { least: 1, most: 1_000, usual: 50 } as const;

/** The query of a paged list. */
export const page = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(PAGE.least)
    .max(PAGE.most)
    .default(PAGE.usual)
    .meta({ description: "How many items at most." }),
  cursor: z
    .string()
    .max(MOST_CURSOR)
    .optional()
    .meta({ description: "`next_cursor` of the page before." }),
});

/** A page of a list; `next_cursor` is null on the last one. */
export function listOf<T extends z.ZodType>(item: T) {
  const shape = { items: z.array(item), next_cursor: z.string().nullable() };
  return noun(shape).meta({ title: `${item.meta()?.title} page` });
}

export type PageData<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };
