import { z } from "zod";
import { MAX_ID_LENGTH } from "../../../shared/core/text/text.ts";
import { MAX_SOURCE_LENGTH } from "../../../shared/core/usage/usage-event.ts";
import { MAX_EVENTS } from "./read-body.ts";

/** For documentation only: `judgeEvents` validates each event, so one bad event does not refuse a batch. */
const cloudEvent = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z
      .string()
      .min(1)
      .max(MAX_ID_LENGTH)
      .describe("Together with `subject`, identifies the event."),
    source: z.string().min(1).max(MAX_SOURCE_LENGTH),
    type: z
      .string()
      .min(1)
      .max(MAX_ID_LENGTH)
      .describe("The meter, or an event type that feeds meters of the catalogue."),
    subject: z.string().min(1).max(MAX_ID_LENGTH).describe("The account."),
    time: z.iso
      .datetime({ offset: true })
      .nullish()
      .describe(
        "When it occurred. Default, also of null: now. Set it if the event may be sent again.",
      ),
    data: z
      .looseObject({
        quantity: z
          .union([z.int(), z.string().regex(/^-?\d+$/)])
          .optional()
          .describe("In the meter's smallest whole unit. Default: `value`."),
        quantities: z
          .record(z.string(), z.union([z.int(), z.string().regex(/^-?\d+$/)]))
          .nullish()
          .describe(
            "Quantities of at most 15 further meters, by meter: the same use, one identity.",
          ),
        hold_id: z
          .string()
          .min(1)
          .max(MAX_ID_LENGTH)
          .nullish()
          .describe("The account's hold that the usage uses."),
      })
      .meta({ title: "Usage event data" })
      .describe("The quantities; all other strings, numbers and booleans are dimensions."),
  })
  .meta({ title: "Usage event", description: "A CloudEvents 1.0 event in JSON." });

export const ingestBody = z.union([cloudEvent, z.array(cloudEvent).max(MAX_EVENTS)]);
