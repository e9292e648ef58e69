import { z } from "zod";
import { noun } from "./noun.ts";

const unit = noun({ one: z.string(), many: z.string() }).meta({
  title: "Meter unit",
  description: "What a meter counts, such as query and queries; null: no unit is shown.",
});

const name = z.string().nullable().meta({ description: "null: the id is shown." });

/** The parts of a display name that change. */
export const displayFields = { name, unit: unit.nullable() };

/** How people read a meter, a plan or an add-on. */
export const displayNameFields = {
  what: z.enum(["meter", "plan", "add_on"]),
  id: z.string(),
  ...displayFields,
};

export const displayNames = noun({
  items: z.array(noun(displayNameFields).meta({ title: "Display name" })),
}).meta({ title: "Display names" });

export type DisplayNamesData = z.input<typeof displayNames>;
