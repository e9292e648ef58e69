import { z } from "zod";
import { noun } from "./noun.ts";

const unit = noun({ one: z.string(), many: z.string() }).meta({
  title: "Meter unit",
  description: "What a meter counts, such as query and queries; null: no unit is shown.",
});

const name = z.string().nullable().meta({ description: "null: the id is shown." });

/** The parts of a display name that change. */
export const displayFields = { name, unit: unit.nullable() };

/** How people read a meter, a plan, an add-on, a dimension of usage or a value of one. */
export const displayNameFields = {
  what: z.enum(["meter", "plan", "add_on", "dimension", "dimension_value"]),
  id: z.string().meta({ description: "Of a value with its dimension: `model=gpt-5`." }),
  ...displayFields,
};

export const displayNames = noun({
  items: z.array(noun(displayNameFields).meta({ title: "Display name" })),
  price_dimensions: z.array(z.string()).meta({
    description: "The dimensions of usage that prices depend on now, to group spend by first.",
  }),
}).meta({ title: "Display names" });

export type DisplayNamesData = z.input<typeof displayNames>;
