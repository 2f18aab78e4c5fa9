import "../../core/schema-settings.ts";
import * as z from "zod";
import { type Container, parseContainers } from "../../core/containers/container.ts";
import { type LastDeployment, missingLimits } from "../../core/deployment/last-deployment.ts";
import type { EngineDefaults, NetworkFact, OtherContainer, VolumeFact } from "../../core/privileges/privilege.ts";
import {
  containersArgv,
  defaultsArgv,
  enforcedArgv,
  networksArgv,
  volumesArgv,
} from "../../core/stack/compose-argv.ts";
import { allEnforced, type EnforcedLimits } from "../../core/stack/limits.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import type { World } from "../../world.ts";
import { docker } from "./engine.ts";

const textMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});
const volumesSchema = z.array(z.object({ Name: z.string(), Driver: z.string(), Options: textMap, Labels: textMap }));
const networksSchema = z.array(z.object({ Name: z.string(), Driver: z.string(), Labels: textMap }));

const projectLabel = "com.docker.compose.project";

/** The volumes of these names that there are. */
export async function readVolumes(world: World, names: readonly string[]): Promise<VolumeFact[]> {
  if (names.length === 0) return [];
  const { stdout } = await docker(world, volumesArgv(names));
  const { data = [] } = volumesSchema.safeParse(JSON.parse(stdout || "[]"));
  return data.map(({ Name, Driver, Options, Labels }) => {
    return { name: Name, driver: Driver, options: Options, project: Labels[projectLabel] };
  });
}

/** The networks of these names that there are. */
export async function readNetworks(world: World, names: readonly string[]): Promise<ReadonlyMap<string, NetworkFact>> {
  if (names.length === 0) return new Map();
  const { stdout } = await docker(world, networksArgv(names));
  const { data = [] } = networksSchema.safeParse(JSON.parse(stdout || "[]"));
  return new Map(data.map(({ Name, Driver, Labels }) => [Name, { driver: Driver, project: Labels[projectLabel] }]));
}

/** The containers of these ids or names that there are, whoever they belong to. */
export async function readOthers(world: World, references: readonly string[]): Promise<readonly OtherContainer[]> {
  if (references.length === 0) return [];
  const { stdout } = await docker(world, containersArgv(references));
  const parsed = parseContainers(JSON.parse(stdout || "[]"));
  return parsed.ok ? parsed.value.map(({ id, name, mounts }) => ({ id, name, mounts })) : [];
}

/** What the engine gives to containers that do not ask for anything else. */
export async function readDefaults(world: World): Promise<EngineDefaults> {
  const { stdout } = await docker(world, defaultsArgv());
  const [runtime = "", logDriver = ""] = stdout.trim().split("\t");
  return { runtime, logDriver };
}

/** Which limits the kernel enforces, asked only where containers lack one and did not when they were deployed. */
export async function readEnforced(
  world: World,
  model: ComposeModel,
  containers: readonly Container[],
  deployed: LastDeployment | undefined,
): Promise<EnforcedLimits> {
  const { keys, isKnown } = missingLimits(model, containers, deployed);
  if (isKnown) return { ...allEnforced, ...Object.fromEntries(keys.map((key) => [key, false])) };
  const { stdout } = await docker(world, enforcedArgv());
  const [memory, memoryAndSwap, cpus, pids] = stdout
    .trim()
    .split("\t")
    .map((word) => word !== "false");
  return { memory: memory ?? true, memoryAndSwap: memoryAndSwap ?? true, cpus: cpus ?? true, pids: pids ?? true };
}
