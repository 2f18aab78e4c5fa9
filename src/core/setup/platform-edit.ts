import type { Mode } from "../detect/mode.ts";
import { editYaml, type YamlEdit } from "./yaml-edit.ts";

const providers = {
  local: "deerflow.sandbox.local:LocalSandboxProvider",
  container: "deerflow.community.aio_sandbox:AioSandboxProvider",
} as const;

/**
 * The platform's configuration with the `sandbox:` section of another mode, in DeerFlow's form. Where the text still has the
 * blocks of templates/config.yaml, the one of the mode is switched on and the others off; else the keys are changed one by
 * one. Undefined where that cannot be done without changing what else the file says.
 */
export function platformInMode(text: string, mode: Mode): string | undefined {
  return switchBlocks(text, mode) ?? editYaml(text, editsFor(mode));
}

function editsFor(mode: Mode): YamlEdit[] {
  const at = (key: string, value: string | undefined): YamlEdit => ({ path: ["sandbox", key], value });
  switch (mode) {
    case "local":
      return [at("use", providers.local), at("provisioner_url", undefined), at("provisioner_api_key", undefined)];
    case "aio":
      return [at("use", providers.container), at("provisioner_url", undefined), at("provisioner_api_key", undefined)];
    case "provisioner":
      return [
        at("use", providers.container),
        at("provisioner_url", "http://provisioner:8002"),
        at("provisioner_api_key", "$PROVISIONER_API_KEY"),
      ];
  }
}

/** A paragraph of the template: what a mode means in comments, then its section, which is a comment as well when it is off. */
const block =
  /^(?<prose># (?<mode>local|aio|provisioner): .*\n(?:# (?!sandbox:).*\n)*)(?<section>(?:# )?sandbox:\n(?:(?:# )? {2}.*\n?)+)/gm;

function switchBlocks(text: string, wanted: Mode): string | undefined {
  const blocks = [...text.matchAll(block)];
  const modes = blocks.map(({ groups }) => groups?.["mode"]);
  const sections = text.match(/^sandbox\s*:/gm)?.length ?? 0;
  const active = blocks.filter(({ groups }) => groups?.["section"]?.startsWith("sandbox:")).length;
  // A section that stands elsewhere, or a block that is missing or there twice, is not the template any more.
  if (modes.length !== 3 || new Set(modes).size !== 3 || sections !== active) return undefined;
  return text.replace(block, (_whole, prose: string, mode: string, section: string) => {
    const lines = section.split("\n").map((line) => line.replace(/^# /, ""));
    return prose + lines.map((line) => (mode === wanted || line === "" ? line : `# ${line}`)).join("\n");
  });
}
