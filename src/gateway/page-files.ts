import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";

const files = [
  { route: "/", name: "index.html", type: "text/html; charset=utf-8" },
  { route: "/style.css", name: "style.css", type: "text/css; charset=utf-8" },
  { route: "/page.js", name: "page.js", type: "text/javascript; charset=utf-8" },
  { route: "/favicon.svg", name: "favicon.svg", type: "image/svg+xml" },
] as const;

/** Headers of every answer: nothing is loaded from elsewhere, nothing is inline, nobody frames the page. */
export const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** Serves the page; its files are read once, from the folder `page` beside this program. */
export async function servePage(app: FastifyInstance): Promise<void> {
  for (const { route, name, type } of files) {
    const content = await readFile(new URL(`./page/${name}`, import.meta.url));
    app.get(route, async (_request, reply) => reply.type(type).header("cache-control", "no-cache").send(content));
  }
}
