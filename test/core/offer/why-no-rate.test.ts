import { expect, test } from "vitest";
import { type StatedRate, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { whyNoRate } from "../../../shared/core/offer/why-no-rate.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";

test("a backlog of models that none of 20,000 rates is for is explained soon", () => {
  const rates = Array.from({ length: 20_000 }, (_, at): StatedRate => {
    return { patterns: [`provider-${at % 50}`, `model-${at}`], credits: 1n, per: 1n };
  });
  const table = { dimensions: ["provider", "model"], rates };
  const card = toRateCard([rateTable({ meter: "tokens", validFrom: 0 }, table)]);
  const took = cpuTimeOf(() => {
    for (let at = 0; at < 50_000; at += 1) {
      const dimensions = { provider: "provider-7", model: `other-${at % 10}` };
      const event = { meter: "tokens", occurredAt: 1, quantity: 1n, dimensions };
      expect(whyNoRate(card, event)).toContain(
        `has no rate for provider=provider-7, model=other-${at % 10}; the nearest are for provider=provider-7, model=model-7;`,
      );
    }
  });
  expect(took).toBeLessThan(10_000);
});
