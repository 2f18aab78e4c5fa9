import { judgeHealth } from "../../core/containers/health.ts";
import { type CheckResult, judged, type Known, type Mend, skipped, type Verdict } from "../../core/doctor/check.ts";
import { judgeCluster } from "../../core/doctor/cluster-check.ts";
import { judgeFiles } from "../../core/doctor/file-checks.ts";
import { judgeFirewall, openLivePorts, openPorts } from "../../core/doctor/firewall-check.ts";
import {
  type DeploymentFacts,
  judgeDeployment,
  judgeFindings,
  judgeLeftovers,
  judgeLocks,
} from "../../core/doctor/stack-checks.ts";
import { handChanges } from "../../core/drift/hand-changes.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { doorFindings, lifetimeLine } from "../../core/public/door-report.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { variableOf } from "../../shell/compose/compose.ts";
import { readCluster } from "../../shell/doctor/cluster.ts";
import { both, following, within } from "../../shell/doctor/deadline.ts";
import { readFirewall } from "../../shell/doctor/network.ts";
import { readPrivatePaths } from "../../shell/doctor/private-paths.ts";
import { type ProjectContainers, projectResources } from "../../shell/engine/engine.ts";
import { readLocks } from "../../shell/lock/lock.ts";
import { readDoorReport } from "../../shell/network/tls-client.ts";
import { environmentFindings, readEnvironment } from "../../shell/observe/coherence.ts";
import { machineFindings } from "../../shell/observe/machine.ts";
import { missingSeeds, portFindings } from "../../shell/observe/observe.ts";
import { busyPorts } from "../../shell/observe/ports.ts";
import { deployedBy, findReceipt, receiptFor } from "../../shell/records/receipt.ts";
import type { World } from "../../world.ts";
import { type GlobalFlags, type Setting, type StackSetting, statePathOf } from "../prepare.ts";
import { verifyRunning } from "../status-verify.ts";
import { manyQuestions, type Scene } from "./scene.ts";

/** The checks of this folder and its stack, in their order. */
export async function examineStack(scene: Scene): Promise<CheckResult[]> {
  const laidOut = both(scene.stack, scene.model);
  const running = both(scene.setting, scene.containers);
  const ask = <T>(question: (bound: World) => Promise<T>) => within(scene.world, scene.seconds, question);
  const [environment, files, mounts, ports, firewall, certificate, cluster, lock, leftovers, deployment] =
    await Promise.all([
      following(laidOut, unread, ([setting, model]) => ask((bound) => readValues(bound, setting, model))),
      ask((bound) => readFiles(bound, scene)),
      following(laidOut, unread, ([setting, model]) => ask((bound) => readMounts(bound, setting, model))),
      following(both(laidOut, scene.containers), unread, ([[{ stack }, model], { containers }]) =>
        ask(async (bound) => portFindings(model, await busyPorts(bound, model, stack.excluded, containers), stack)),
      ),
      following(laidOut, unread, ([{ stack }, model]) =>
        ask(async (bound) => {
          const live = await scene.containers;
          const own = live.kind === "known" ? openLivePorts(live.value.containers) : [];
          return readFirewall(bound, [...openPorts(model, stack.excluded), ...own]);
        }),
      ),
      following(scene.stack, unread, (setting) => readCertificate(scene, setting)),
      following(scene.stack, unread, (setting) => readClusterOf(scene, setting)),
      readLockState(scene),
      following(both(laidOut, scene.containers), unread, ([[setting, model], found]) =>
        ask((bound) => readLeftovers(bound, setting, model, found)),
      ),
      following(running, unread, ([setting, found]) =>
        ask((bound) => readDeployment(bound, scene.flags, setting, found)),
      ),
    ]);
  return [
    judged("environment", environment, (found) => judgeFindings("coherent, and closed to others", found)),
    judged("files", files, judgeFiles),
    judged("mounts", mounts, (found) => judgeFindings("all that containers mount is there", found, missingFolder)),
    judged("ports", ports, (found) => judgeFindings("all are free or this stack's", found)),
    judged("firewall", firewall, judgeFirewall),
    judged("certificate", certificate, (value) => value),
    judged("cluster", cluster, judgeClusterIfAny),
    judged("lock", lock, ({ locks, now }) => judgeLocks(locks, now)),
    judged("leftovers", leftovers, judgeLeftovers),
    judged("deployment", deployment, judgeDeployment),
  ];
}

const unread = "the stack or its engine is not known";

async function readValues(
  world: World,
  { config, territory, stack }: StackSetting,
  model: ComposeModel,
): Promise<Finding[]> {
  const reading = await readEnvironment(world, config, territory, stack);
  return environmentFindings(world, territory, stack, model, reading);
}

/** Without a configuration the folder is still the one in which this tool would keep its own. */
async function readFiles(world: World, { setting, flags }: Scene) {
  const known = await setting;
  const statePath = statePathOf(world, flags);
  const root = statePath.replace(/\/\.deploy$/, "");
  return readPrivatePaths(world, known.kind === "known" ? known.value.territory : { root, statePath });
}

async function readMounts(
  world: World,
  { config, territory, stack }: StackSetting,
  model: ComposeModel,
): Promise<Finding[]> {
  const seeds = await missingSeeds(world, config, territory);
  return machineFindings(world, config, territory, stack, model, seeds);
}

/** Something that is mounted and has no ending is most likely a folder. */
function missingFolder({ code, message }: Finding): Mend | undefined {
  const path = code === "D048" ? / mounts (\/.+), which does not exist$/.exec(message)?.[1] : undefined;
  const name = path?.split("/").at(-1) ?? "";
  return path === undefined || name.includes(".") ? undefined : { name: "missing-folders", path };
}

/** The certificate that the configuration names, and the one that clients of a running stack see; its lifetime among it. */
async function readCertificate(scene: Scene, { config, territory, stack }: StackSetting): Promise<Known<Verdict>> {
  const { tls } = config.config.public;
  if (tls === "off") return { kind: "unasked", why: "public.tls is off" };
  const named = stack.tls?.findings ?? [];
  const live = await scene.containers;
  const containers = live.kind === "known" ? live.value.containers : [];
  return within(scene.world, scene.seconds, async (bound) => {
    if (containers.length === 0) return judgeFindings(`public.tls is ${tls}`, named);
    const door = await readDoorReport(bound, config.config, territory, containers);
    const now = bound.now().getTime();
    if (door === undefined) return judgeFindings(`public.tls is ${tls}`, named);
    return judgeFindings(lifetimeLine(door, now), [...named, ...doorFindings(door, now)]);
  });
}

async function readClusterOf({ world, seconds }: Scene, { stack, territory }: StackSetting) {
  if (stack.detection.mode !== "provisioner")
    return { kind: "unasked", why: `${stack.detection.mode} mode uses none` } as const;
  const [namespace, otherServer] = await Promise.all([
    variableOf(world, stack, "K8S_NAMESPACE"),
    variableOf(world, stack, "K8S_API_SERVER"),
  ]);
  const place = {
    path: territory.kubeconfigPath,
    namespace: namespace || "sandboxes",
    otherServer: otherServer || undefined,
  };
  // Each of its questions has the deadline of its own.
  return within(world, seconds * manyQuestions, (bound) => readCluster(bound, seconds, place));
}

function judgeClusterIfAny(facts: Awaited<ReturnType<typeof readCluster>>): Verdict {
  // That there is no kubeconfig is said by the check of the mounts.
  return facts === undefined ? skipped("there is no kubeconfig") : judgeCluster(facts);
}

/** An engine that does not answer holds no lock that could be told; that of the folder is told all the same. */
async function readLockState({ world, seconds, flags, report, setting }: Scene) {
  const [engine, known] = await Promise.all([report, setting]);
  const project = engine.kind === "known" && known.kind === "known" ? known.value.project : undefined;
  return within(world, seconds, async (bound) => {
    const locks = await readLocks(bound, { statePath: statePathOf(bound, flags), project });
    return { locks, now: bound.now().getTime() };
  });
}

async function readLeftovers(
  world: World,
  { stack, project }: StackSetting,
  model: ComposeModel,
  found: ProjectContainers,
) {
  const volumes = await projectResources(world, "volume", project);
  const { mode } = stack.detection;
  return { mode, model, excluded: stack.excluded, volumes, ...found };
}

async function readDeployment(
  world: World,
  flags: GlobalFlags,
  { territory, project }: Setting,
  found: ProjectContainers,
): Promise<DeploymentFacts> {
  const { receipt: last, problem } = await findReceipt(world, territory.statePath);
  const receipt = receiptFor(project, last);
  const { containers } = found;
  const services = [...new Set([...(receipt?.services ?? []), ...containers.flatMap(({ service }) => service ?? [])])];
  const runs = services.length > 0;
  const comparison = runs ? await verifyRunning(world, flags, { territory, receipt, found }) : undefined;
  return {
    receiptProblem: problem,
    deployed: receipt === undefined ? undefined : `${receipt.time} by ${receipt.who}`,
    running: containers.filter(({ state }) => state.running).length,
    ailing: judgeHealth(services.toSorted(), containers).flatMap((each) =>
      each.kind === "ready" ? [] : [`${each.service}: ${each.reason}`],
    ),
    drift: handChanges(containers, receipt && deployedBy(receipt)),
    beyond: comparison?.findings ?? [],
  };
}
