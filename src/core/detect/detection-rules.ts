import "../schema-settings.ts";
import * as z from "zod";
import { modes } from "./mode.ts";

const modeSchema = z.enum(modes);

const ruleSchema = z
  .strictObject({
    name: z.string().min(1).optional().describe("A name for this rule in messages."),
    key: z
      .string()
      .regex(/^[^.]+(?:\.[^.]+)*$/, "write a dotted path such as sandbox.use")
      .optional()
      .describe("The dotted path, in the platform's YAML file, of the value to look at."),
    variable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "write the name of an environment variable, without $")
      .optional()
      .describe("The variable, in the gateway container's environment, to look at."),
    equals: z.string().optional().describe("The text that the value must be; booleans are true and false."),
    matches: z.string().optional().describe("A JavaScript regular expression that must match somewhere in the value."),
    mode: modeSchema.describe("The sandbox mode that follows when this rule holds."),
  })
  .superRefine((rule, context) => {
    const complain = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (rule.key === undefined && rule.variable === undefined) {
      complain("key", "a rule needs a key (in the platform's file) or a variable (in the gateway's environment)");
    }
    if (rule.key !== undefined && rule.variable !== undefined) {
      complain("variable", "a rule looks at a key or at a variable, not at both: write two rules");
    }
    if (rule.equals !== undefined && rule.matches !== undefined) {
      complain("matches", "a rule has equals or matches, not both");
    }
    const broken = rule.matches === undefined ? undefined : brokenPattern(rule.matches);
    if (broken !== undefined) complain("matches", `is not a regular expression: ${broken}`);
  });

/** How the sandbox mode follows from a platform's own configuration; embedded in the schema of deploy.config.yaml. */
export const detectionRulesSchema = z
  .union([
    z.literal("deer-flow").describe("The built-in rules of DeerFlow: sandbox.use and sandbox.provisioner_url."),
    z
      .strictObject({
        rules: z
          .array(ruleSchema)
          .min(1)
          .describe(
            "The rules in order; the first that holds decides. Without equals and matches, a rule holds when its value is set and not empty, zero or false.",
          ),
        default: z
          .union([modeSchema, z.literal("deer-flow")])
          .optional()
          .describe(
            "What holds when no rule does: a mode, or deer-flow to go on with the built-in rules; unset means local with a warning.",
          ),
      })
      .describe("Rules of your own, for another platform or for a provider that the built-in rules do not know."),
  ])
  .describe("Where the sandbox mode is read from: deer-flow, or rules of your own.");

/** The built-in set by its name, or rules of one's own. */
export type DetectionRules = z.infer<typeof detectionRulesSchema>;
/** One rule: where to look, what to compare, which mode follows. */
export type DetectionRule = z.infer<typeof ruleSchema>;

/** Whether deciding by these rules reads the platform's configuration file. */
export function readsPlatformFile(rules: DetectionRules): boolean {
  return rules === "deer-flow" || rules.default === "deer-flow" || rules.rules.some(({ key }) => key !== undefined);
}

function brokenPattern(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
