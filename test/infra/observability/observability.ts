import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..", "..", "..");
export const FOLDER = join(ROOT, "infra", "observability");
export const RULES_FILE = join(FOLDER, "prometheus", "rules.yml");

const rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(["critical", "warning"]) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});

export type Rule = ReturnType<typeof readRules>[number];

export function readRules() {
  const { groups } = rules.parse(parse(readFileSync(RULES_FILE, "utf8")));
  return groups.flatMap((group) => group.rules);
}

const dashboard = z.object({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.object({
      title: z.string(),
      datasource: z.object({ uid: z.string() }),
      targets: z.array(z.object({ expr: z.string() })).min(1),
    }),
  ),
});

export function readDashboards() {
  const folder = join(FOLDER, "grafana", "dashboards");
  return readdirSync(folder).map((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return { name, ...dashboard.parse(JSON.parse(text)) };
  });
}

/** The uid of the data source that is provisioned. */
export function readSourceUid(): string {
  const file = join(FOLDER, "grafana", "provisioning", "datasources", "prometheus.yml");
  const { datasources } = z
    .object({ datasources: z.array(z.object({ uid: z.string() })).length(1) })
    .parse(parse(readFileSync(file, "utf8")));
  return datasources[0]?.uid ?? "";
}

/** The metrics that a query reads, without what Prometheus makes of a histogram. */
export function metricsIn(expr: string): string[] {
  const words = expr.match(/\b(?:drawdown|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return [...new Set(words.map((word) => word.replace(/_(bucket|sum|count)$/, "")))];
}

const OPERATING = readFileSync(join(ROOT, "docs", "operating.md"), "utf8");

/** The table of metrics in docs/operating.md, as text. */
export function metricsTable(): string {
  return /<!-- metrics -->\n+(.*?)\n*<!-- end of metrics -->/s.exec(OPERATING)?.[1] ?? "";
}

export function documentedMetrics(): Set<string> {
  return new Set([...metricsTable().matchAll(/^\| `(\w+)/gm)].map(([, name = ""]) => name));
}

/** The alerts of the page's runbook. */
export function runbookAlerts(): string[] {
  const [, section = ""] = OPERATING.split("### What to do at 3 a.m.");
  const table = section.split("\n#", 1)[0] ?? "";
  return [...table.matchAll(/^\| `(\w+)` +\| \S.* \| \S.* \|$/gm)].map(([, name = ""]) => name);
}
