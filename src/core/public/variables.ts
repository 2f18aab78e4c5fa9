import type { DeployConfig } from "../config/config.ts";

/** Whole platforms whose variables are known: DeerFlow and others, as their own examples name them. */
export const publicPresets = ["none", "deer-flow", "deepeye", "dify", "flowise", "langfuse", "n8n", "plane"] as const;

/** One of them. */
export type PublicPreset = (typeof publicPresets)[number];

/** What a variable may be derived as, beside `url` with a path behind it. */
export const derivedForms = ["url", "scheme", "host", "secure", "origins", "origins-json"] as const;

/** How a form is written in the configuration. */
export const derivedPattern = /^(url(\/[A-Za-z0-9._~/-]*)?|scheme|host|secure|origins|origins-json)$/;

type Mapping = Readonly<Record<string, string>>;

/** The names by which platforms learn their public URL; of each what it has to say. */
const known: Readonly<Record<PublicPreset, Mapping>> = {
  none: {},
  "deer-flow": { GATEWAY_CORS_ORIGINS: "origins", DEER_FLOW_TRUSTED_ORIGINS: "origins" },
  deepeye: { AUTH_COOKIE_SECURE: "secure", BACKEND_CORS_ORIGINS: "origins-json", AUTH_FRONTEND_BASE_URL: "url" },
  dify: {
    ...{ CONSOLE_API_URL: "url", CONSOLE_WEB_URL: "url", SERVICE_API_URL: "url" },
    ...{ APP_API_URL: "url", APP_WEB_URL: "url", FILES_URL: "url" },
    ...{ WEB_API_CORS_ALLOW_ORIGINS: "origins", CONSOLE_CORS_ALLOW_ORIGINS: "origins" },
  },
  flowise: { APP_URL: "url", CORS_ORIGINS: "origins", SECURE_COOKIES: "secure" },
  langfuse: { NEXTAUTH_URL: "url" },
  n8n: { N8N_HOST: "host", N8N_PROTOCOL: "scheme", WEBHOOK_URL: "url/", N8N_SECURE_COOKIE: "secure" },
  plane: { WEB_URL: "url", CORS_ALLOWED_ORIGINS: "origins" },
};

/** Which variable is derived as what: the preset's, and the configuration's own over them. */
export function publicMapping({ public: { preset, variables } }: Pick<DeployConfig, "public">): Mapping {
  return { ...known[preset], ...variables };
}

/** Every variable of every known platform that says whether cookies are secure, or which origins may call. */
export const tellingVariables: ReadonlyMap<string, string> = new Map(
  Object.values(known)
    .flatMap((mapping) => Object.entries(mapping))
    .filter(([, form]) => form === "secure" || form.startsWith("origins")),
);

/** The values of variables that follow from the public URL; `others` are further origins whose pages may call. */
export function derivedValues(
  mapping: Mapping,
  url: string,
  others: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(mapping).map(([name, form]) => [name, derived(form, url, others)]));
}

function derived(form: string, url: string, others: readonly string[]): string {
  const [scheme = "", host = ""] = url.split("://");
  const origins = [...new Set([...ownOrigins(url), ...others])];
  switch (form) {
    case "scheme":
      return scheme;
    case "host":
      return host.replace(/:\d+$/, "");
    case "secure":
      return String(scheme === "https");
    case "origins":
      return origins.join(",");
    case "origins-json":
      return JSON.stringify(origins);
    default:
      return `${url}${form.slice("url".length)}`;
  }
}

/** On loopback people type either of two names, and a browser tells them apart. */
function ownOrigins(url: string): string[] {
  const [, port] = /^http:\/\/127\.0\.0\.1(:\d+)?$/.exec(url) ?? [];
  return url.startsWith("http://127.0.0.1") ? [url, `http://localhost${port ?? ""}`] : [url];
}
