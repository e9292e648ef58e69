import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build, type Plugin } from "vite";
import { SERVICES, SIMULATED_GATEWAY } from "../../../infra/local/services.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const WITHIN_MS = 180_000;
/** Packages that read files of their own, or are native. */
const APART = ["pino", "snappy", "lz4-napi", "pg-native", "@fastify/static", "@fastify/swagger-ui"];

/**
 * Bundles each service with what it imports, for `startService`: the tests start services hundreds of
 * times, and one file loads in less than half the CPU time of a thousand.
 */
export async function bundleServices(folder: string): Promise<void> {
  const services = [...SERVICES, SIMULATED_GATEWAY];
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    plugins: [keepPlaces],
    ssr: { noExternal: true, external: APART },
    build: {
      ssr: true,
      target: "node24",
      outDir: folder,
      rolldownOptions: {
        input: Object.fromEntries(services.map(({ name, file }) => [name, file])),
        output: { entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" },
      },
    },
  });
  process.env["SERVICE_BUNDLES"] = folder;
  await Promise.all(services.map(({ name }) => compile(join(folder, `${name}.mjs`))));
}

/** A file that reads others beside it finds them where its source is. */
const keepPlaces: Plugin = {
  name: "keep-places",
  transform(code, id) {
    if (!id.startsWith(ROOT) || id.includes("node_modules")) return null;
    return code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href));
  },
};

/** Without settings a service ends by itself, and Node then writes its compile cache. */
async function compile(file: string): Promise<void> {
  const env = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
  await promisify(execFile)(process.execPath, [file], { env, timeout: WITHIN_MS }).catch(
    (error: { code?: unknown }) => {
      if (error.code !== 2) throw error;
    },
  );
}
