import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { errorCodes } from "./error-codes.ts";

/** Where the page of error codes is. */
export const ERROR_PAGE_PATH = "/docs/errors";

const STYLE =
  "body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}h2{font:bold 1rem monospace}";

const sections = Object.entries(errorCodes).map(([code, words]) => `<h2 id="${code}">${code}</h2>\n<p>${words}</p>`);

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tripe: error codes</title><style>${STYLE}</style></head>
<body>
<h1>Error codes</h1>
<p>The code of an error says what is wrong for programs, its message for people. Every error names its page in doc_url.</p>
${sections.join("\n")}
</body>
</html>
`;

// Nothing but the page's own style: no script, no frame, nothing from elsewhere.
const styleHash = createHash("sha256").update(STYLE).digest("base64");
const headers = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'`,
  "cache-control": "public, max-age=3600",
};

/** Serves the page of error codes, a paragraph a code, and adds its address to every error that has a code. */
export function serveErrorPage(app: FastifyInstance, publicUrl: string | undefined): void {
  app.get(ERROR_PAGE_PATH, (_request, reply) => reply.headers(headers).type("text/html; charset=utf-8").send(page));
  app.addHook("preSerialization", (request, reply, payload, done) => {
    if (reply.statusCode < 400 || !hasCode(payload)) return done(null, payload);
    const origin = publicUrl ?? originOf(request);
    const docUrl = { doc_url: `${origin}${ERROR_PAGE_PATH}#${payload.error.code}` };
    return done(null, origin === undefined ? payload : { ...payload, error: { ...payload.error, ...docUrl } });
  });
}

function hasCode(payload: unknown): payload is { error: { code: string } } {
  if (typeof payload !== "object" || payload === null || !("error" in payload)) return false;
  const { error } = payload;
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string";
}

// The host is the client's own word, and comes back to that client only.
function originOf({ protocol, host }: FastifyRequest): string | undefined {
  return /^[\w.:[\]-]{1,255}$/.test(host) ? `${protocol}://${host}` : undefined;
}
