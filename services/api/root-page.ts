import type { FastifyInstance } from "fastify";

/** What is at `/`: where to go from here. */
export function serveRoot(app: FastifyInstance, hasDashboard: boolean): void {
  const links = [
    ["/docs", "The API: every route, with its fields"],
    ["/openapi.json", "Its OpenAPI document"],
    ...(hasDashboard ? [["/dashboard/", "The dashboard, which a link or a key opens"]] : []),
  ];
  const items = links.map(([href, text]) => `<li><a href="${href}">${text}</a></li>`);
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Drawdown</title>
<h1>Drawdown</h1>
<ul>
${items.join("\n")}
</ul>
</html>
`;
  app.get("/", { config: { access: "open" }, schema: { hide: true } }, (_, reply) =>
    reply.type("text/html; charset=utf-8").send(page),
  );
}
