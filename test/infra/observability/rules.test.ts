import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import {
  documentedMetrics,
  FOLDER,
  metricsIn,
  RULES_FILE,
  type Rule,
  readDashboards,
  readRules,
  readSourceUid,
  runbookAlerts,
} from "./observability.ts";
import { findPromtool, promtool } from "./promtool.ts";
import { RULE_CASES, type RuleCase } from "./rule-cases.ts";

const rules = readRules();
const dashboards = readDashboards();
const queries = [
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
  ...dashboards.flatMap(({ name, panels }) =>
    panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ of: `${name}: ${title}`, expr })),
    ),
  ),
];
const program = await findPromtool();

test("each rule has its line in the runbook, and each line its rule", () => {
  expect(runbookAlerts().toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

test("rules and dashboards read metrics that are served, as the page says", () => {
  const documented = documentedMetrics();
  expect(documented.size).toBeGreaterThan(30);
  const unknown = queries.flatMap(({ of, expr }) =>
    metricsIn(expr)
      .filter((name) => name.startsWith("drawdown_") && !documented.has(name))
      .map((name) => `${of}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test("every metric is on a dashboard or in a rule", () => {
  const read = new Set(queries.flatMap(({ expr }) => metricsIn(expr)));
  expect([...documentedMetrics()].filter((name) => !read.has(name))).toEqual([]);
});

test("dashboards read the data source that is provisioned", () => {
  const uid = readSourceUid();
  expect(dashboards.map((one) => one.uid).toSorted()).toEqual([
    ...["drawdown-books", "drawdown-metering", "drawdown-services"],
  ]);
  for (const { panels } of dashboards) {
    expect(new Set(panels.map(({ datasource }) => datasource.uid))).toEqual(new Set([uid]));
  }
});

test("each rule has a case", () => {
  expect(Object.keys(RULE_CASES).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

describe.skipIf(program === null)("promtool", () => {
  const tool = (...args: string[]) => promtool(program ?? "", ...args);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "drawdown-rules-"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("takes the configuration and the rules", async () => {
    const said = await tool("check", "config", join(FOLDER, "prometheus", "prometheus.yml"));
    expect(said).toContain(`${rules.length} rules found`);
  });

  test("can read every query of the dashboards", async () => {
    const records = queries.map(({ expr }, at) => ({
      record: `query_${at}`,
      expr: expr.replaceAll("$__rate_interval", "1m"),
    }));
    const file = join(folder, "queries.yml");
    await writeFile(file, stringify({ groups: [{ name: "queries", rules: records }] }));
    expect(await tool("check", "rules", file)).toContain(`${records.length} rules found`);
  });

  test.each(["1m", "30m"] as const)(
    "finds each rule raised by its case when it should, not before, nor when all is well (steps of %s)",
    async (every) => {
      const tests = rules
        .filter(({ alert }) => caseOf(alert).every === (every === "30m" ? every : undefined))
        .flatMap((rule) => playing(rule, every));
      const file = join(folder, `cases-${every}.yml`);
      const cases = { rule_files: [RULES_FILE], evaluation_interval: every, tests };
      await writeFile(file, stringify(cases));
      expect(await tool("test", "rules", file)).toContain("SUCCESS");
    },
  );
});

function caseOf(alert: string): RuleCase {
  const known = RULE_CASES[alert];
  if (known === undefined) throw new Error(`${alert} has no case`);
  return known;
}

/** A rule's case in the form of promtool. */
function playing({ alert, labels, annotations }: Rule, interval: string): object[] {
  const { raised, well, at, not, by = {} } = caseOf(alert);
  const raises = { exp_labels: { ...labels, ...by }, exp_annotations: annotations };
  const before = { eval_time: not, alertname: alert };
  const after = { eval_time: at, alertname: alert };
  return [
    { input_series: inputs(raised), alert_rule_test: [before, { ...after, exp_alerts: [raises] }] },
    { input_series: inputs(well), alert_rule_test: [after] },
  ].map((one) => ({ interval, ...one }));
}

function inputs(series: RuleCase["raised"]): object[] {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }));
}
