// Builds the package of the current folder: what its entry imports, compiled, with the schemas that
// it reads. The compiler knows no more than Node 20 has (tsconfig.json).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

rmSync("dist", { recursive: true, force: true });
execFileSync(`${REPOSITORY}/node_modules/.bin/tsc`, ["-p", "."], { stdio: "inherit" });
if (existsSync("dist/shared/kafka")) {
  cpSync(`${REPOSITORY}/schemas`, "dist/schemas", {
    recursive: true,
    filter: (path) => !path.endsWith(".md"),
  });
}
cpSync(`${REPOSITORY}/LICENSE`, "LICENSE");
