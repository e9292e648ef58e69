import type { FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";

/** Refuses a compressed body: read as it is, it would only be said not to be JSON. */
export async function refuseEncoded({ headers }: FastifyRequest): Promise<void> {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return;
  const detail = "send the body without a content-encoding";
  throw new Problem(415, "unsupported_media_type", detail, { field: "Content-Encoding" });
}
