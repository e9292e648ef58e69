import type { ServiceProcess } from "./service-process.ts";

/** What a service process serves to Prometheus, on the port of its health. */
export async function askMetrics(service: ServiceProcess): Promise<string> {
  const { address } = await service.says(/^serving health$/);
  const answer = await fetch(`${address}/metrics`);
  if (answer.status !== 200) throw new Error(`/metrics answers ${answer.status}`);
  return answer.text();
}

/** The value of each series, under its name with its labels. */
export function seriesOf(text: string): Record<string, number> {
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    series.map((line) => {
      const [name = "", value] = line.split(/ (?=[^ ]+$)/);
      return [name, Number(value)];
    }),
  );
}

/** Each metric of ours with its type and help. */
export function metricsOf(text: string): { name: string; type: string; help: string }[] {
  return [...text.matchAll(/^# HELP (drawdown_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(
    ([, name = "", help = "", type = ""]) => ({ name, type, help }),
  );
}
