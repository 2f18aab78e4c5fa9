import {
  judgeDisk,
  judgeLimits,
  judgeMemory,
  judgeStorage,
  type Space,
  serviceLimits,
} from "../../core/doctor/capacity-checks.ts";
import { type CheckResult, judged, type Known, resultOf, skipped } from "../../core/doctor/check.ts";
import { judgeClock } from "../../core/doctor/clock-check.ts";
import { checkCompose, checkEngine, isLocal, judgeBuildx } from "../../core/doctor/engine-checks.ts";
import { parseTimestamp } from "../../core/doctor/instant.ts";
import { judgeProxies } from "../../core/doctor/proxy-check.ts";
import { judgeNames, judgeRegistries, registriesOf, registryUrls } from "../../core/doctor/registry-check.ts";
import { judgeRights, rightsEvidence } from "../../core/doctor/rights-check.ts";
import { judgeVersions } from "../../core/doctor/version-floors.ts";
import { hub } from "../../core/stack/registry.ts";
import { following, within } from "../../shell/doctor/deadline.ts";
import { readAvailableMemory, readRights, readSpace } from "../../shell/doctor/engine.ts";
import { askRegistries, lookUp, neededNames, readProxies, readResolvers } from "../../shell/doctor/network.ts";
import { readImages } from "../../shell/engine/engine.ts";
import { wantedImages } from "../../shell/observe/observe.ts";
import { readReceipt } from "../../shell/records/receipt.ts";
import type { Scene } from "./scene.ts";

/** The checks of the machine and its engine, in their order. Most say something also where there is no configuration. */
export async function examineMachine(scene: Scene): Promise<CheckResult[]> {
  const network = examineNetwork(scene);
  const results = await Promise.all([
    examineDocker(scene),
    examinePrograms(scene),
    examineCapacity(scene),
    network.then(({ times }) => examineClock(scene, times)),
  ]);
  return [...results.flat(), ...(await network).results];
}

async function examineDocker(scene: Scene): Promise<CheckResult[]> {
  const engine = await scene.engine;
  const { endpoint = "", report, failure } = engine.kind === "known" ? engine.value : {};
  const asked = { endpoint, rootless: failure === undefined ? report?.rootless : undefined };
  const rights = await within(scene.world, scene.seconds, (bound) => readRights(bound, asked));
  const seen = rights.kind === "known" ? rightsEvidence(rights.value) : undefined;
  return [checkEngine(engine, seen), judged("rights", rights, judgeRights)];
}

async function examinePrograms({ engine, report, compose }: Scene): Promise<CheckResult[]> {
  const [asked, running, found] = await Promise.all([engine, report, compose]);
  const version = found.kind === "known" ? found.value : undefined;
  const client: Known<Parameters<typeof judgeBuildx>[0]> =
    asked.kind === "known" && asked.value.report !== undefined
      ? { kind: "known", value: asked.value.report }
      : { kind: "unasked", why: "docker does not say" };
  const noDocker = asked.kind === "refused" || found.kind === "late";
  return [
    noDocker ? resultOf("compose", skipped("docker does not answer")) : checkCompose(found),
    judged("buildx", client, (value) => judgeBuildx(value, version)),
    judged("versions", running, (value) => judgeVersions(value, version)),
  ];
}

async function examineCapacity(scene: Scene): Promise<CheckResult[]> {
  const { world, seconds } = scene;
  const [report, engine, stack, model] = await Promise.all([scene.report, scene.engine, scene.stack, scene.model]);
  const services =
    model.kind === "known" && stack.kind === "known"
      ? serviceLimits(model.value, stack.value.stack.excluded)
      : undefined;
  const endpoint = engine.kind === "known" ? engine.value.endpoint : "";
  const [disk, memory] = await Promise.all([
    within(world, seconds, (bound) => readDisk({ ...scene, world: bound })),
    following(scene.report, "the engine does not answer", ({ memory: total }) =>
      within(world, seconds, async (bound) => ({ total, available: await readAvailableMemory(bound, endpoint) })),
    ),
  ]);
  return [
    judged("limits", report, (value) => judgeLimits(value, services)),
    judged("storage", report, judgeStorage),
    judged("disk", disk, ({ spaces, imagesMissing }) => judgeDisk(spaces, { imagesMissing })),
    judged("memory", memory, (value) => judgeMemory(value, services ?? [])),
  ];
}

/** Room on the disks of the engine and of the project; without an engine that says which images it has, all are to come. */
async function readDisk(scene: Scene): Promise<{ spaces: Space[]; imagesMissing: boolean }> {
  const { world } = scene;
  const [report, engine, setting, model] = await Promise.all([scene.report, scene.engine, scene.setting, scene.model]);
  const isHere = engine.kind === "known" && isLocal(engine.value.endpoint);
  const root = setting.kind === "known" ? setting.value.territory.root : world.cwd;
  const wanted = model.kind === "known" ? wantedImages(model.value) : [];
  const [data, project, images] = await Promise.all([
    isHere && report.kind === "known" ? readSpace(world, "data", report.value.dataRoot) : undefined,
    readSpace(world, "project", root),
    report.kind === "known" ? readImages(world, wanted) : undefined,
  ]);
  const imagesMissing = model.kind !== "known" || wanted.some((name) => images?.ids.has(name) !== true);
  return { spaces: [data ?? [], project ?? []].flat(), imagesMissing };
}

/** Names, registries and the proxies before them, as the engine goes there: it is the one that pulls. */
async function examineNetwork(scene: Scene) {
  const { world, seconds } = scene;
  const [engine, report, stack, model] = await Promise.all([scene.engine, scene.report, scene.stack, scene.model]);
  const local = stack.kind === "known" && stack.value.stack.images === "local";
  const wanted =
    model.kind === "known" && stack.kind === "known" ? registriesOf(model.value, stack.value.stack.excluded) : [hub];
  const mirrors = report.kind === "known" ? report.value.mirrors : [];
  const urls = local ? [] : registryUrls(wanted, mirrors);
  const client = engine.kind === "known" ? engine.value : undefined;
  const settings = await within(world, seconds, (bound) =>
    readProxies(bound, client?.failure ? undefined : client?.report),
  );
  const used =
    settings.kind === "known" ? (settings.value.engine ?? settings.value.shell) : { http: "", https: "", no: "" };
  const names = await lookUp(world, seconds, neededNames(urls, used));
  const lost = names.filter(({ addresses }) => addresses.length === 0).map(({ name }) => name);
  // What has no address is told once, by the check of the names.
  const known = urls.filter((url) => !neededNames([url], used).some((name) => lost.includes(name)));
  const asked = await askRegistries(world, seconds, known, { proxies: used, names });
  const resolvers = await readResolvers(world);
  const none = skipped("images are made on this machine");
  return {
    results: [
      resultOf("dns", local ? none : judgeNames(names, resolvers)),
      resultOf(
        "registry",
        local
          ? none
          : known.length < urls.length && known.length === 0
            ? skipped("its name is not found")
            : judgeRegistries(asked.map(({ answer }) => answer)),
      ),
      judged("proxy", settings, judgeProxies),
    ],
    times: asked.flatMap(({ time }) => time ?? []),
  };
}

async function examineClock(scene: Scene, times: Parameters<typeof judgeClock>[0]["told"]): Promise<CheckResult[]> {
  const [engine, setting] = await Promise.all([scene.engine, scene.setting]);
  const told = engine.kind === "known" ? [engine.value.time ?? []].flat() : [];
  const clock = await within(scene.world, scene.seconds, async (bound) => {
    const receipt = setting.kind === "known" ? await readReceipt(bound, setting.value.territory.statePath) : undefined;
    return { told: [...told, ...times], now: bound.now().getTime(), deployedAt: parseTimestamp(receipt?.time ?? "") };
  });
  return [judged("clock", clock, judgeClock)];
}
