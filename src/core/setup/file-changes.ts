import { type Mode, modes } from "../detect/mode.ts";
import { EnvEditError, setInEnvFile } from "../env/env-edit.ts";
import type { Finding } from "../findings/finding.ts";
import { failure, type Outcome, success } from "../findings/finding.ts";
import { platformInMode } from "./platform-edit.ts";
import type { Answers, Found } from "./question.ts";
import type { Secrets } from "./secret-questions.ts";
import { settingsOf } from "./settings.ts";
import { editYaml, type YamlEdit } from "./yaml-edit.ts";

/** A file of the operator's, as it is or as the first `up` would make it. */
export interface OperatorFile {
  /** What messages call it. */
  readonly name: string;
  readonly path: string;
  /** Undefined where there is no such file yet. */
  readonly text: string | undefined;
  /** What a new one begins as, and what people call that; undefined where nothing is made by itself. */
  readonly template: { readonly name: string; readonly text: string } | undefined;
  /** The mode of a new one. */
  readonly mode: number;
}

/** The files that answers change. */
export interface Ground {
  readonly config: OperatorFile;
  readonly platform: OperatorFile;
  readonly env: OperatorFile;
  /** Whether the platform's configuration has DeerFlow's form, in which its mode can be changed. */
  readonly deerFlow: boolean;
  /** Whether deploy.config.yaml forces a mode. */
  readonly forced: boolean;
  /** The environment of this process, which Compose puts before the file's. */
  readonly exported: ReadonlyMap<string, string>;
}

/** A file that would be made or changed. */
export interface FileChange extends OperatorFile {
  readonly after: string;
}

/**
 * The files that say what the answers say, with every byte kept that has nothing to do with them. D183 where a file is
 * written in a way that cannot be changed with certainty: it says what to write by hand.
 */
export function fileChanges(
  answers: Answers,
  found: Found,
  ground: Ground,
  secrets: Secrets = new Map(),
): Outcome<FileChange[]> {
  const { env: variables, config } = settingsOf(answers, found);
  const env = new Map([...variables, ...secrets]);
  const mode = modes.find((each) => each === answers.mode);
  const another = mode !== undefined && mode !== found.mode ? mode : undefined;
  const edits = [...modeEdits(another, ground), ...config];
  const results = [
    changed(ground.config, (text) => editYaml(text, edits), edits.map(yamlText)),
    ...(another !== undefined && ground.deerFlow
      ? [changed(ground.platform, (text) => platformInMode(text, another), [`a sandbox: section for ${another} mode`])]
      : [changed(ground.platform, (text) => text, [])]),
    changed(
      ground.env,
      (text) => withVariables(text, env, ground.exported),
      [...env].map(([name, value]) => (secrets.has(name) ? `${name}=… (./deploy secrets set)` : `${name}=${value}`)),
    ),
  ];
  const findings = results.flatMap((result) => (result !== undefined && "code" in result ? [result] : []));
  if (findings.length > 0) return failure(...findings);
  return success(results.flatMap((result) => (result === undefined || "code" in result ? [] : [result])));
}

/** A mode that is forced has to change with the platform's; one of another platform can only be forced. */
function modeEdits(mode: Mode | undefined, { deerFlow, forced }: Ground): YamlEdit[] {
  return mode !== undefined && (forced || !deerFlow) ? [{ path: ["sandbox", "mode"], value: mode }] : [];
}

function changed(
  file: OperatorFile,
  edit: (text: string) => string | undefined,
  wanted: readonly string[],
): FileChange | Finding | undefined {
  const present = file.text ?? file.template?.text;
  if (present === undefined && wanted.length === 0) return undefined;
  const after = edit(present ?? "");
  if (after === undefined) return handFinding(file, wanted);
  return after === file.text ? undefined : { ...file, after };
}

function withVariables(
  text: string,
  variables: ReadonlyMap<string, string>,
  exported: ReadonlyMap<string, string>,
): string | undefined {
  try {
    return [...variables].reduce(
      (edited, [name, value]) => setInEnvFile(uncommented(edited, name), name, value, exported),
      text,
    );
  } catch (error) {
    if (error instanceof EnvEditError) return undefined;
    throw error;
  }
}

/** A variable that the template shows with its default in a comment gets its value there, among what belongs to it. */
function uncommented(text: string, name: string): string {
  if (new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=`, "m").test(text)) return text;
  return text.replace(new RegExp(`^#${name}=.*$`, "m"), `${name}=`);
}

function yamlText({ path, value }: YamlEdit): string {
  return `${path.join(".")}: ${value ?? "(removed)"}`;
}

function handFinding({ name }: OperatorFile, wanted: readonly string[]): Finding {
  return {
    code: "D183",
    severity: "error",
    message: `${name} is written in a way that setup cannot change with certainty; nothing was written`,
    fix: `write by hand: ${wanted.join("; ")}; then run the same command again`,
  };
}
