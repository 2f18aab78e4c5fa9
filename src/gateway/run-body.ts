import * as z from "zod";
import { type Language, languages, type RunLimits } from "./run.ts";

/** What a client sends to `POST /api/run`. */
export interface RunBody {
  readonly language: Language;
  readonly code: string;
  readonly timeoutSeconds: number;
}

/** A checked body, or everything that is wrong with it. */
export type RunBodyResult =
  | { readonly ok: true; readonly body: RunBody }
  | { readonly ok: false; readonly status: 400 | 413; readonly problems: readonly string[] };

const defaultTimeoutSeconds = 10;

/** Checks the body of a run request; the answer is meant for the person who wrote the request. */
export function readRunBody(value: unknown, limits: RunLimits): RunBodyResult {
  const { timeoutSecondsMax, codeBytesMax } = limits;
  const timeoutProblem = `must be a whole number from 1 to ${timeoutSecondsMax}`;
  const schema = z.strictObject(
    {
      language: z.enum(languages, { error: `must be one of ${languages.join(", ")}` }),
      code: z
        .string({ error: "must be a string" })
        .min(1, { error: "must not be empty" })
        .refine((code) => !code.includes("\0"), { error: "must not contain a NUL character" }),
      timeoutSeconds: z
        .int({ error: timeoutProblem })
        .min(1, { error: timeoutProblem })
        .max(timeoutSecondsMax, { error: timeoutProblem })
        .default(Math.min(defaultTimeoutSeconds, timeoutSecondsMax)),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? undefined
          : "the body must be a JSON object with language, code and timeoutSeconds",
    },
  );
  const result = schema.safeParse(value);
  if (!result.success) {
    return { ok: false, status: 400, problems: result.error.issues.map(describeIssue) };
  }
  const bytes = Buffer.byteLength(result.data.code);
  if (bytes > codeBytesMax) {
    return { ok: false, status: 413, problems: [`code has ${bytes} bytes; the limit is ${codeBytesMax}`] };
  }
  return { ok: true, body: result.data };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.map((key) => JSON.stringify(key.slice(0, 60))).join(", ");
    return `unknown field ${names}; known are language, code and timeoutSeconds`;
  }
  return [issue.path.join("."), issue.message].filter((part) => part !== "").join(" ");
}
