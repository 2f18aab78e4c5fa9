import type { Finding } from "../findings/finding.ts";
import { weakSecret } from "../plan/plan.ts";
import { isWeakSecret, type WeakReason } from "./generate-secret.ts";
import { fitsForm, formTexts, type SecretForm } from "./secret-form.ts";

/** A line as somebody typed or piped it: the line break at its end is not part of the secret. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}

/**
 * Why a text is not taken as the value of a secret (D111), or undefined. A mask is what a tool showed in the place of a
 * value: stored, it would be the secret. Weak values pass where they are accepted.
 */
export function inputFinding(
  name: string,
  value: string,
  { form = "base64url", acceptWeak }: { readonly form?: SecretForm | undefined; readonly acceptWeak: boolean },
): Finding | undefined {
  const refused = (message: string, fix: string): Finding => ({ code: "D111", severity: "error", message, fix });
  const again = "nothing was changed; run the command again with the real value";
  if (value.trim() === "") return refused(`the value for ${name} is empty`, `${again}, on standard input or typed`);
  if (/[\r\n]/.test(value)) return refused(`the value for ${name} has more than one line`, again);
  if (/\0|\p{Surrogate}/u.test(value))
    return refused(`the value for ${name} has a character no variable can have`, again);
  if (isMask(value)) return refused(`the value for ${name} is a mask that stands for a hidden value`, again);
  if (value !== value.trim()) return refused(`the value for ${name} begins or ends with a blank`, again);
  if (!fitsForm(value, form)) return refused(`the value for ${name} has to be ${formTexts[form]}`, again);
  const weak = isWeakSecret(value);
  if (weak === undefined || acceptWeak) return undefined;
  return refused(
    `the value for ${name} is weak: ${weakTexts[weak]}`,
    `choose another one, or add --accept ${weakSecret}`,
  );
}

function isMask(value: string): boolean {
  return /^(?:[*•●·.x]{3,}|‹.*›|\[?(?:redacted|hidden|masked|filtered)\]?|<(?:redacted|hidden|masked)>)$/i.test(value);
}

const weakTexts: Readonly<Record<WeakReason, string>> = {
  empty: "it is empty",
  placeholder: "it is a placeholder",
  "known default": "everybody tries it first",
  "same as the example": "it stands in an example",
  "too short": "it is shorter than 16 characters",
  "too regular": "it repeats itself",
};
