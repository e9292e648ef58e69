import type { FastifyInstance } from "fastify";

/** Pages load only their own files, and only these origins may embed them. */
function contentPolicy(embedOrigins: readonly string[]): string {
  return [
    ...["default-src 'self'", "base-uri 'self'", "font-src 'self' data:", "form-action 'self'"],
    `frame-ancestors ${["'self'", ...embedOrigins].join(" ")}`,
    ...["img-src 'self' data:", "object-src 'none'"],
    ...["script-src 'self'", "script-src-attr 'none'", "style-src 'self'"],
  ].join(";");
}

/** Headers of every answer. Source: OWASP's HTTP Security Response Headers Cheat Sheet. */
const HEADERS = {
  // What is not private (the document, built files) says otherwise itself.
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
} as const;

/** The headers are built once, since building them per answer costs as much as reading a balance. */
export function secureHeaders(app: FastifyInstance, embedOrigins: readonly string[]): void {
  const headers = {
    ...HEADERS,
    "content-security-policy": contentPolicy(embedOrigins),
    // The older header cannot name origins, so it is left out if some may embed the pages.
    ...(embedOrigins.length === 0 ? { "x-frame-options": "SAMEORIGIN" } : {}),
  };
  app.addHook("onRequest", (_, reply, done) => {
    void reply.headers(headers);
    done();
  });
}
