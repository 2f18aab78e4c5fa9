import "../schema-settings.ts";
import * as z from "zod";

const path = z.string().min(1);

/** How a login of the operator reaches a service, the least exposure first. */
export const credentialForms = ["none", "env", "file", "directory"] as const;

/** One of the forms. */
export type CredentialForm = (typeof credentialForms)[number];

/** Forms that lend something. */
const lendingForms = ["env", "file", "directory"] as const;

const form = z.enum(credentialForms).default("none");

const other = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, "a short name in lower case, such as gemini")
    .refine((name) => name !== "claude" && name !== "codex", "claude and codex have keys of their own")
    .describe("How this login is called in messages and in the names of what is made for it."),
  form: z.enum(lendingForms).describe("How it reaches the service, as for claude."),
  service: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, "the name of a service")
    .optional()
    .describe("The only service that gets it. Left out, platform.service."),
  variable: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")
    .optional()
    .describe(
      "env: the variable that is passed on. file and directory: the one that names the path inside the container.",
    ),
  path: path.optional().describe("file and directory: what is lent; one file, or one directory."),
});

/** The part of the configuration that says which logins are lent, and how. */
export const credentialsSchema = z.strictObject({
  claude: form.describe(
    "The login of Claude Code. none lends nothing; env passes a token from the environment (CLAUDE_CODE_OAUTH_TOKEN, ANTHROPIC_AUTH_TOKEN or ANTHROPIC_API_KEY); file shows ~/.claude/.credentials.json alone; directory mounts ~/.claude with everything in it, and asks.",
  ),
  codex: form.describe(
    "The login of Codex, in the same way: CODEX_API_KEY or OPENAI_API_KEY, ~/.codex/auth.json, or ~/.codex.",
  ),
  others: z
    .array(other.superRefine(checkPath))
    .superRefine(checkNames)
    .default([])
    .describe("Logins of other programs, each with name, form, variable and path, and the service if it is another."),
});

/** Which logins are lent, with every default filled in. */
export type CredentialsConfig = z.infer<typeof credentialsSchema>;

function checkNames(others: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  for (const [index, { name }] of others.entries())
    if (others.findIndex((each) => each.name === name) < index)
      context.addIssue({ code: "custom", path: [index, "name"], message: "there is another login of this name" });
}

function checkPath(value: z.infer<typeof other>, context: z.RefinementCtx): void {
  if (value.form === "env" && value.variable === undefined)
    context.addIssue({ code: "custom", path: ["variable"], message: "env needs the variable that is passed on" });
  if (value.path !== undefined && /(^|\/)\.{0,2}\/*$/.test(value.path))
    context.addIssue({ code: "custom", path: ["path"], message: "it ends in a name that is none" });
  if (value.form === "env" && value.path !== undefined)
    context.addIssue({ code: "custom", path: ["path"], message: "env lends a variable and no path" });
  if (value.form !== "env" && value.path === undefined)
    context.addIssue({ code: "custom", path: ["path"], message: `${value.form} needs the path of what is lent` });
}
