import staticFiles from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Serves the dashboard's files, as `npm run build:dashboard` made them, under /dashboard/. */
export async function serveDashboard(app: FastifyInstance, dir: string): Promise<void> {
  await app.register(async (scope) => {
    openAll(scope);
    await scope.register(staticFiles, {
      root: dir,
      prefix: "/dashboard/",
      redirect: true,
      setHeaders: (reply, path) => {
        // Built files carry a hash of what they hold in their names; the page names them.
        const isHashed = /\/assets\//.test(path);
        void reply.header(
          "Cache-Control",
          isHashed ? "public, max-age=31536000, immutable" : "no-cache",
        );
      },
    });
  });
}

/** Routes of pages, which hold no secret: anybody may load them, and the document does not tell of them. */
export function openAll(scope: FastifyInstance): void {
  scope.addHook("onRoute", (route) => {
    route.config = { ...route.config, access: "open" };
    route.schema = { ...route.schema, hide: true };
  });
}
