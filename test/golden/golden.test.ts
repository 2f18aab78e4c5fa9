import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/core/config.ts";
import { parseContainers } from "../../src/core/container.ts";
import { detectMode } from "../../src/core/detect.ts";
import { formatFindings } from "../../src/core/docker-failures.ts";
import type { Facts } from "../../src/core/facts.ts";
import type { Outcome } from "../../src/core/finding.ts";
import { parseModel } from "../../src/core/model.ts";
import { planText } from "../../src/core/plan-text.ts";
import { planUp, type UpOptions } from "../../src/core/plan-up.ts";
import { composeFiles, excludedServices, territoryOf } from "../../src/core/stack.ts";

/** What a case's facts.yaml holds; all but the model may be left out. */
interface CaseFacts extends Partial<Omit<Facts, "model" | "hashes" | "containers" | "sandboxes" | "images">> {
  readonly model: unknown;
  readonly hashes?: Record<string, string>;
  readonly containers?: unknown[];
  readonly sandboxes?: unknown[];
  readonly images?: Record<string, string>;
  readonly environment?: Record<string, string>;
  readonly options?: Partial<UpOptions>;
}

const folder = import.meta.dirname;
const home = "/home/operator";

function read(name: string, file: string): string {
  return readFileSync(join(folder, name, file), "utf8");
}

function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(formatFindings(outcome.findings));
  return outcome.value;
}

/** The straight line of `deploy plan`, from files to text, without a world. */
function planOf(name: string): string {
  const given = parse(read(name, "facts.yaml")) as CaseFacts;
  const { config, positionOf } = must(
    parseConfig({ file: "deploy.config.yaml", text: read(name, "deploy.config.yaml") }),
  );
  const at = positionOf(["sandbox", "mode"]);
  const forced =
    config.sandbox.mode === "auto"
      ? {}
      : { forced: { mode: config.sandbox.mode, at: `deploy.config.yaml:${at.line}` } };
  const environment = new Map(Object.entries(given.environment ?? {}));
  const detected = detectMode({
    rules: config.platform.detection,
    config: { file: "config.yaml", text: read(name, "config.yaml") },
    environment,
    ...forced,
  });
  if (!detected.ok) return formatFindings(detected.findings);
  const territory = territoryOf(config, "/srv/agents/deploy.config.yaml", home);
  const { mode } = detected.value;
  const facts: Facts = {
    model: must(parseModel(given.model)),
    hashes: new Map(Object.entries(given.hashes ?? {})),
    containers: must(parseContainers(given.containers ?? [])),
    sandboxes: must(parseContainers(given.sandboxes ?? [])),
    images: new Map(Object.entries(given.images ?? {})),
    busyPorts: given.busyPorts ?? [],
    seeds: given.seeds ?? [],
    missingSecrets: given.missingSecrets ?? [],
    staleSecretFiles: given.staleSecretFiles ?? [],
    findings: given.findings ?? [],
  };
  const stack = {
    project: config.project,
    detection: detected.value,
    files: composeFiles(config, mode, territory, "/opt/sandbox-deploy", home),
    envPath: territory.envPath,
    images: config.compose.images ?? ("registry" as const),
    variables: {},
    excluded: excludedServices(config, mode),
  };
  const plan = planUp(
    config,
    facts,
    stack,
    { projectRoot: territory.root, home },
    { build: "missing", pull: "missing", accept: [], ...given.options },
  );
  const findings = [...detected.findings, ...plan.findings];
  return [planText(plan), ...(findings.length > 0 ? ["", formatFindings(findings)] : [])].join("\n");
}

describe("a plan is the same text for the same situation", () => {
  const cases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  it.each(cases.map(({ name }) => name))("%s", async (name) => {
    await expect(`${planOf(name)}\n`).toMatchFileSnapshot(join(folder, name, "plan.txt"));
  });
});
