import "../schema-settings.ts";
import * as z from "zod";
import { conceal } from "../secrets/concealed.ts";
import { secretClasses } from "../secrets/secret-class.ts";
import { secretForms } from "../secrets/secret-form.ts";
import { mapOf, maybe } from "./nullish-schema.ts";

const secretText = z.union([z.string(), z.number(), z.boolean()]).transform(String).transform(conceal);

/** A Compose file may come from somebody else: its names become a variable and a file below the tool's own folder, and nothing else. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "a plain file name: letters, digits, _ . and -");
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable name: letters, digits and _");

const generatedSecret = z
  .object({
    value: maybe(secretText),
    file: maybe(fileName),
    bytes: maybe(z.int().min(16).max(1024)),
    form: maybe(z.enum(secretForms)),
    class: maybe(z.enum(secretClasses)),
    /** It is what clients of the platform send, which `key` may print. */
    clientKey: maybe(z.boolean()),
  })
  .nullish()
  .transform((secret) => ({
    value: secret?.value ?? conceal(""),
    file: secret?.file,
    bytes: secret?.bytes ?? 32,
    form: secret?.form ?? "base64url",
    class: secret?.class,
    ...(secret?.clientKey === true ? { clientKey: true as const } : {}),
  }));

const extension = z.object({
  secrets: maybe(z.record(variableName, generatedSecret)).transform((secrets) => secrets ?? {}),
  builtImages: mapOf(z.string()),
});

/** Each Compose file has an extension of its own name, because Compose 2.26 replaces one of the same name where 2.40 merges it. */
export function extensionsOf(model: Record<string, unknown>, context: z.RefinementCtx): z.output<typeof extension>[] {
  const own = Object.entries(model).filter(([key]) => key.startsWith("x-sandbox-deploy"));
  return own.flatMap(([key, value]) => {
    const parsed = extension.safeParse(value);
    if (parsed.success) return [parsed.data];
    for (const { path, message } of parsed.error.issues)
      context.addIssue({ code: "custom", path: [key, ...path], message });
    return [];
  });
}
