import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatInstant } from "../../core/text/instant-text.ts";
import { CONTENT_TYPE, type Metrics } from "../metrics/metrics.ts";
import type { HealthReports, Report } from "./health.ts";

/**
 * Serves `/livez` (503: restart this process) and `/readyz` (503: it cannot do its work now), each with what
 * was checked, and `/metrics` for Prometheus. Returns the address. Port 0: any free one.
 */
export async function serveHealth(
  name: string,
  { reports, metrics }: { readonly reports: HealthReports; readonly metrics: Metrics },
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const asked: Readonly<Record<string, () => Promise<Report>>> = {
    "/livez": reports.liveness,
    "/readyz": reports.readiness,
  };
  const server = createServer(async ({ url = "/" }, answer) => {
    const path = url.split("?", 1)[0] ?? "";
    if (path === "/metrics") return send(answer, 200, CONTENT_TYPE, await metrics.text());
    const report = asked[path];
    if (report === undefined) {
      return sendJson(answer, 404, { error: "ask /livez, /readyz or /metrics" });
    }
    const checks = await report();
    const isUp = Object.values(checks).every((problem) => problem === null);
    sendJson(answer, isUp ? 200 : 503, bodyOf(name, isUp, checks));
  });
  server.listen(port, host);
  await once(server, "listening");
  server.unref();
  const { address, family, port: taken } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${taken}`;
}

function bodyOf(service: string, isUp: boolean, checks: Report) {
  const all = Object.entries(checks).map(([name, problem]) => [
    name,
    problem === null
      ? { status: "up" }
      : { status: "down", since: formatInstant(problem.since), reason: problem.reason },
  ]);
  return { service, status: isUp ? "up" : "down", checks: Object.fromEntries(all) };
}

function sendJson(answer: ServerResponse, status: number, body: object): void {
  send(answer, status, "application/json", `${JSON.stringify(body)}\n`);
}

function send(answer: ServerResponse, status: number, type: string, text: string): void {
  answer
    .writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", Connection: "close" })
    .end(text);
}
