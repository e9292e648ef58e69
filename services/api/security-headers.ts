import type { FastifyInstance } from "fastify";

/** Pages load what comes from here and nothing else, and stand in no other's frame. */
const CONTENT_POLICY = [
  ...["default-src 'self'", "base-uri 'self'", "font-src 'self' data:", "form-action 'self'"],
  ...["frame-ancestors 'self'", "img-src 'self' data:", "object-src 'none'"],
  ...["script-src 'self'", "script-src-attr 'none'", "style-src 'self'"],
].join(";");

/** What every answer tells browsers. Source: OWASP's HTTP Security Response Headers Cheat Sheet. */
const HEADERS = {
  "content-security-policy": CONTENT_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
} as const;

/** Made once: working them out for each answer costs as much as reading a balance. */
export function secureHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_, reply, done) => {
    void reply.headers(HEADERS);
    done();
  });
}
