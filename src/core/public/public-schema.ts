import "../schema-settings.ts";
import * as z from "zod";
import { domainPattern, domainProblem, isDomainName } from "./domain-name.ts";
import { derivedForms, derivedPattern, publicPresets } from "./variables.ts";

const path = z.string().min(1);

/** How the front door is encrypted. */
export const tlsKinds = ["off", "internal", "acme", "files"] as const;

/** The stages of HSTS, in seconds: five minutes, a day, two years. A browser that has seen one keeps to https for so long. */
export const hstsStages = [0, 300, 86_400, 63_072_000] as const;

// The pattern is what editors know of it.
const domain = z
  .string()
  .max(253)
  .regex(domainPattern, { error: ({ input }) => domainProblem(String(input)) });

/** Endings that the public DNS never has (RFC 6761, RFC 8375, and what ICANN keeps free), so that no public authority can look. */
const privateName = /(^|\.)(local|localdomain|localhost|lan|home|internal|intranet|corp|invalid|onion|home\.arpa)$/;

const variableName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, "the name of a variable in the environment file, such as ACME_EAB_KEY");

const eab = z.strictObject({
  keyId: z
    .string()
    .regex(/^[A-Za-z0-9_.:/+=-]{1,256}$/, "the key id as the authority wrote it, without spaces")
    .describe("The id of the key, as the authority names it."),
  keyVariable: variableName.describe("The variable of the environment file that holds the key itself."),
});

const addresses = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
const isAddresses = (text: string) => addresses.safeParse(text).success;

/** It becomes a word of the proxy's own configuration, where blanks, quotes and braces mean something. */
const httpsUrl = z
  .url({ protocol: /^https$/, error: "an https:// address" })
  .regex(/^[^\s"'`{}\\]*$/, "an https:// address without blanks, quotes and braces");

const acme = z.strictObject({
  email: z.email({ error: "an e-mail address" }).optional().describe("Whom the authority may write to."),
  staging: z
    .boolean()
    .default(false)
    .describe("Let's Encrypt's staging: certificates that no browser trusts, without the limits of the real one."),
  directory: httpsUrl
    .optional()
    .describe("The directory of another authority. Left out, Let's Encrypt issues the certificate."),
  root: path
    .optional()
    .describe(
      "A PEM file with the roots of that authority, where the system does not know them: of its directory's own certificate, and of those that it issues.",
    ),
  eab: eab
    .optional()
    .describe("The account at an authority that wants one (external account binding): keyId, keyVariable."),
});

const files = z.strictObject({
  certificate: path.describe(
    "A PEM file: the certificate of the domain first, then those in between, without the root.",
  ),
  key: path.describe("A PEM file with its private key, mode 0600."),
});

/** Every key below `public`; what must hold between them is in `publicSchema`. */
const publicKeys = z.strictObject({
  tls: z
    .enum(tlsKinds)
    .default("off")
    .describe(
      "off publishes plain HTTP at BIND_HOST and PORT. Else only 80 and 443 are published: internal signs with a CA of this stack's own, acme fetches a certificate that browsers trust, files uses one of yours.",
    ),
  domain: domain.optional().describe("The name under which people reach the stack; every kind of tls needs it."),
  hstsSeconds: z
    .literal(hstsStages)
    .default(300)
    .describe(
      "For how long browsers refuse plain HTTP once they were here. Begin with 300 and go on to 86400 and 63072000 once https works; it cannot be taken back before its time. Never sent with internal.",
    ),
  trustedProxies: z
    .array(
      z
        .string()
        .refine(isAddresses, "it must be an address or a range of addresses, such as 192.0.2.0/24 or 2001:db8::/32"),
    )
    .default([])
    .describe("Addresses of a CDN or proxy in front of this one, whose word on the client's address counts."),
  preset: z
    .enum(publicPresets)
    .default("none")
    .describe(
      "A platform whose variables for cookies, CORS and URLs are known: they are derived from the public URL and given to its services.",
    ),
  variables: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable"),
      z
        .string()
        .regex(derivedPattern, `${derivedForms.join(", ")}, or url with a path behind it, such as url/api/callback`),
    )
    .default({})
    .describe(
      "Further variables that follow from the public URL, as NAME: url, url/a/path, scheme, host, secure (true or false), origins (parted by commas) or origins-json.",
    ),
  services: z
    .array(z.string().min(1))
    .default([])
    .describe("The services that get these variables. Left out, platform.service."),
  origins: z
    .array(
      z
        .string()
        .regex(
          /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/,
          "an origin such as https://app.example.org: without a path, a slash at the end or *",
        ),
    )
    .default([])
    .describe("Origins of other sites whose pages may call the platform; its own is always among them."),
  acme: acme.prefault({}).describe("How acme fetches a certificate."),
  files: files
    .optional()
    .describe(
      "The certificate that files uses, as PEM files: certificate with the domain's own first and those in between after it, and its private key (mode 0600).",
    ),
});

/** The part of the configuration that says how the stack is reached from outside. */
export const publicSchema = publicKeys.superRefine((value, context) => {
  for (const { at, message, fix } of contradictions(value))
    context.addIssue({ code: "custom", path: [...at], message, params: { fix } });
});

/** How the stack is reached from outside, with every default filled in. */
export type PublicConfig = z.infer<typeof publicKeys>;

interface Contradiction {
  readonly at: readonly string[];
  readonly message: string;
  readonly fix: string;
}

function contradictions(value: PublicConfig): Contradiction[] {
  const { tls, domain: name, acme, files, trustedProxies } = value;
  const found: (Contradiction | false)[] = [
    tls !== "off" &&
      name === undefined &&
      needs("tls", `${tls} needs public.domain`, "add domain: the name that people type"),
    tls === "off" &&
      name !== undefined &&
      needs("domain", "a domain needs tls", "set public.tls to acme, files or internal, or remove the domain"),
    tls === "off" &&
      trustedProxies.length > 0 &&
      needs("trustedProxies", "a proxy in front needs tls", "set public.tls, or remove public.trustedProxies"),
    tls === "acme" &&
      acme.directory === undefined &&
      name !== undefined &&
      isDomainName(name) &&
      (!name.includes(".") || privateName.test(name)) &&
      needs(
        "domain",
        "Let's Encrypt issues no certificate for this name",
        "use a name with a dot that the public DNS knows, or set public.tls to internal",
      ),
    acme.staging &&
      acme.directory !== undefined && {
        at: ["acme", "staging"],
        message: "staging is Let's Encrypt's, and public.acme.directory names another authority",
        fix: "remove one of the two",
      },
    tls === "files" &&
      files === undefined &&
      needs("tls", "files needs public.files", "add files: { certificate: <path>, key: <path> }, both PEM"),
  ];
  return found.flatMap((each) => each || []);
}

function needs(key: string, message: string, fix: string): Contradiction {
  return { at: [key], message, fix };
}
