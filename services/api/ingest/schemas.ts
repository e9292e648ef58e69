import { z } from "zod";

/** What is documented of an event. Each is judged by itself, so that one bad one refuses no batch. */
const cloudEvent = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string().min(1).max(256).describe("With the subject the event's identity."),
    source: z.string().min(1).max(1024),
    type: z
      .string()
      .min(1)
      .max(256)
      .describe("The meter, or the event type that a meter of the catalogue is fed by."),
    subject: z.string().min(1).max(256).describe("The account."),
    time: z.iso
      .datetime({ offset: true })
      .optional()
      .describe("When it occurred. Default: now; whoever may send an event again names it."),
    data: z
      .looseObject({
        quantity: z
          .union([z.int(), z.string().regex(/^-?\d+$/)])
          .optional()
          .describe("In the meter's smallest whole unit; `value` is read where it is left out."),
      })
      .describe("The quantity; all other text, numbers and truth values are dimensions."),
  })
  .meta({ description: "A CloudEvents 1.0 event in JSON." });

export const ingestBody = z.union([cloudEvent, z.array(cloudEvent).max(1000)]);
