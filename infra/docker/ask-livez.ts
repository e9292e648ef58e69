import { get } from "node:http";

/**
 * The HEALTHCHECK of the image: ends with 1 unless this container's service answers that it is alive. Asked every
 * few seconds in every container, so it loads nothing else.
 */
const port = process.env["HEALTH_PORT"];
const asked = get({ host: "127.0.0.1", port, path: "/livez", timeout: 4_000 }, (answer) => {
  process.exit(answer.statusCode === 200 ? 0 : 1);
});
asked.on("timeout", () => process.exit(1));
asked.on("error", () => process.exit(1));
