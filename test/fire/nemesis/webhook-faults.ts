import type { Manner } from "../stage/mail.ts";
import type { Kind } from "./kind.ts";

/** What happens to webhooks on their way from the gateway to the top-up service. */
export const WEBHOOK_FAULTS: readonly Kind[] = [
  webhooks("webhooks are refused", "webhooks refused", "refused"),
  webhooks("webhooks are lost", "webhooks lost", "lost"),
  webhooks("webhooks come again and again", "webhooks repeated", "repeated"),
  webhooks("webhooks come late and in reverse", "webhooks out of order", "held back"),
];

function webhooks(name: string, counts: string, manner: Manner): Kind {
  return {
    ...{ name, counts, about: "webhooks", lasts: [10, 15], backWithin: 30 },
    async begin({ mail }, _, count) {
      const hits = mail.deliver(manner);
      return async () => {
        await hits.some();
        mail.deliver("at once");
        count(hits.count);
      };
    },
  };
}
