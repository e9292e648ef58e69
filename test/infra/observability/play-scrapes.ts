import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { seriesOf } from "../../support/processes/ask-metrics.ts";
import { RULES_FILE, readDashboards } from "./observability.ts";
import { promtool } from "./promtool.ts";

/** What each service answered at `/metrics`: its text by its name. */
export type Scrape = Readonly<Record<string, string>>;

const QUARTER_OF_A_MINUTE = "15s";
/** Longer than any rule waits that is to be noticed. */
const HELD = 120;

/**
 * Has promtool play two scrapes of running services, as Prometheus would see them: the first, the second 15 seconds
 * later, and the same for half an hour. Each query of a dashboard must then draw a number, except those of the panels
 * `empty`, which must draw none; and the alerts `raised`, and no others, are raised in the end. Throws what
 * promtool says of anything else.
 */
export async function playScrapes(
  program: string,
  [first, second]: readonly [Scrape, Scrape],
  expected: { readonly empty: readonly string[]; readonly raised: readonly string[] },
): Promise<void> {
  const drawn = panelQueries().map(({ title, expr }) => ({
    // What is not a number is not drawn.
    expr: `label_replace(count((${expr}) >= -Inf) > bool 0, "panel", ${JSON.stringify(title)}, "", "")`,
    eval_time: "30s",
    exp_samples: expected.empty.includes(title)
      ? []
      : [{ labels: `{panel=${JSON.stringify(title)}}`, value: 1 }],
  }));
  const raised = {
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: "30m",
    exp_samples: expected.raised.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  };
  const played = {
    interval: QUARTER_OF_A_MINUTE,
    input_series: seriesInTime(first, second),
    promql_expr_test: [...drawn, raised],
  };
  const folder = await mkdtemp(join(tmpdir(), "drawdown-scrapes-"));
  try {
    const file = join(folder, "scrapes.yml");
    const cases = { rule_files: [RULES_FILE], evaluation_interval: "1m", tests: [played] };
    await writeFile(file, stringify(cases));
    await promtool(program, "test", "rules", file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function panelQueries(): { title: string; expr: string }[] {
  return readDashboards().flatMap(({ panels }) =>
    panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ title, expr: expr.replaceAll("$__rate_interval", "1m") })),
    ),
  );
}

/** Every series with the labels that Prometheus gives it, in promtool's notation; `_`: it was not there yet. */
function seriesInTime(first: Scrape, second: Scrape): { series: string; values: string }[] {
  return Object.entries(second).flatMap(([service, text]) => {
    const before = seriesOf(first[service] ?? "");
    const labels = `job="drawdown",service="${service}",instance="${service}:8099"`;
    const up = { series: `up{${labels}}`, values: `1x${HELD + 1}` };
    const served = Object.entries(seriesOf(text)).map(([series, value]) => ({
      series: labelled(series, labels),
      values: `${written(before[series])} ${written(value)}x${HELD}`,
    }));
    return [up, ...served];
  });
}

/** Node has no percentiles of an event loop that was looked at a moment ago; promtool reads no NaN. */
function written(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "_" : `${value}`;
}

function labelled(series: string, labels: string): string {
  return series.endsWith("}") ? `${series.slice(0, -1)},${labels}}` : `${series}{${labels}}`;
}
