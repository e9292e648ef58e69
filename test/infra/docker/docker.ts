import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why tests are skipped where `findDocker` finds none. */
export const NO_ENGINE = "no Docker engine with BuildKit answers here";

/** Runs a command of Docker: what it prints, or an error with what it said. */
export type Docker = (...args: string[]) => Promise<string>;

/** Docker with a running engine and BuildKit, whose rules for what is sent to it the Dockerfile needs. */
export async function findDocker(): Promise<Docker | null> {
  const asked: string[] = [];
  // A newer client without its plugin for BuildKit may hide the one of Debian's docker.io.
  for (const program of ["docker", "/usr/bin/docker"]) {
    try {
      const docker = commandsOf(program);
      const version = await docker("version", "--format", "{{.Client.Version}}");
      if (Number.parseInt(version, 10) >= 23) await docker("buildx", "version");
      await docker("info");
      return docker;
    } catch (error) {
      asked.push(String(error));
    }
  }
  if (process.env["DOCKER_REQUIRED"] === "yes") throw new Error(asked.join("\n"));
  return null;
}

function commandsOf(program: string): Docker {
  const env = { ...process.env, DOCKER_BUILDKIT: "1" };
  return async (...args) => {
    const { stdout } = await run(program, args, { env, maxBuffer: 16 * 1024 * 1024 });
    return stdout.trim();
  };
}
