import { z } from "zod";
import { noun } from "./noun.ts";

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
    .max(2_000)
    .optional()
    .meta({ description: "`next_cursor` of the page before." }),
});

/** A page of a list; `next_cursor` is null on the last one. */
export function listOf<T extends z.ZodType>(item: T) {
  const shape = { items: z.array(item), next_cursor: z.string().nullable() };
  return noun(shape).meta({ title: `${item.meta()?.title} page` });
}

export type PageData<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };
