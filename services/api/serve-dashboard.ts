import staticFiles from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Serves the files built by `npm run build:dashboard` under /dashboard/. */
export async function serveDashboard(app: FastifyInstance, dir: string): Promise<void> {
  await app.register(async (scope) => {
    openAll(scope);
    await scope.register(staticFiles, {
      root: dir,
      // Without a slash at its end, so that /dashboard leads there too.
      prefix: "/dashboard",
      redirect: true,
      setHeaders: (reply, path) => {
        // The names of built files contain a hash of their content.
        const isHashed = /\/assets\//.test(path);
        void reply.header(
          "Cache-Control",
          isHashed ? "public, max-age=31536000, immutable" : "no-cache",
        );
      },
    });
  });
}

/** Opens the routes of static pages to everybody, and hides them from the OpenAPI document. */
export function openAll(scope: FastifyInstance): void {
  scope.addHook("onRoute", (route) => {
    route.config = { ...route.config, access: "open" };
    route.schema = { ...route.schema, hide: true };
  });
}
