import type { FastifyInstance } from "fastify";
import type { SkippedRecords } from "../../../shared/kafka/consume/skipped-records.ts";
import { skippedMetrics } from "../../../shared/kafka/health/skipped-metrics.ts";
import { CONTENT_TYPE, type Metrics } from "../../../shared/runtime/metrics/metrics.ts";
import type { WrongKeys } from "../access/wrong-keys.ts";
import type { RouteContext } from "../routes/route.ts";
import { bookMetrics } from "./book-metrics.ts";

interface MetricsContext extends RouteContext {
  readonly metrics: Metrics;
  readonly skipped: Pick<SkippedRecords, "counts">;
  readonly wrongKeys: Pick<WrongKeys, "counts">;
}

/** Metrics for a Prometheus that reaches only the API's port: the same as on the port of its health, with a key. */
export function metricsRoute(app: FastifyInstance, context: MetricsContext): void {
  const { metrics, skipped, wrongKeys } = context;
  bookMetrics(metrics, context);
  skippedMetrics(metrics, skipped);
  metrics.source("wrong keys", ({ counter }) => {
    const wrong = counter(
      "drawdown_wrong_keys_total",
      "Wrong keys and tokens that this process has been sent; limited: refused without a look.",
      ["reason"],
    );
    for (const { count, reason } of wrongKeys.counts()) wrong.inc({ reason }, count);
  });
  app.get("/metrics", { config: { access: "metrics" }, schema: { hide: true } }, async (_, reply) =>
    reply.type(CONTENT_TYPE).send(await metrics.text()),
  );
}
