import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DeploymentRecord,
  deploymentBefore,
  deploymentId,
  deploymentIdPattern,
  expired,
  findDeployment,
  type HistoryEntry,
  imageTags,
  lastGood,
  mentionedIds,
  readRecord,
  stateOf,
} from "../../../src/core/deployment/deployment.ts";
import { historyText } from "../../../src/core/deployment/deployment-text.ts";

const outcomes = ["begun", "done", "failed", "rolled-back"] as const;

function recordOf(id: string, outcome: DeploymentRecord["outcome"] = "done"): DeploymentRecord {
  return {
    version: 1,
    ...{ id, outcome, command: "up", begun: "2026-11-21T15:40:12.000Z", who: "ann", host: "here" },
    process: { pid: 1, started: "1" },
    ...{ engineId: "E", toolVersion: "1", project: "demo", mode: "local", because: "a test says so" },
    stack: { files: ["/srv/demo/compose.yaml"], envPath: "/srv/demo/.env", variables: {}, images: "registry" },
    services: ["web"],
    sources: [{ path: "/srv/demo/.env", hash: "hmac-sha256:1", copy: "02-.env" }],
    mounted: [{ path: "/srv/demo/config.yaml", copy: "01-config.yaml" }],
    hashes: { web: "h" },
    images: { web: { id: "sha256:1", reference: "web:1", tag: `demo/web:deploy-${id}` } },
    privileges: [{ service: "web", kind: "host-bind", detail: "./config.yaml (ro)" }],
    secrets: { PASSWORD: "f" },
    findings: [{ code: "D070", message: "web did not become healthy" }],
  };
}

const entryOf = (id: string, outcome?: DeploymentRecord["outcome"]): HistoryEntry => ({
  id,
  record: recordOf(id, outcome),
});
const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: length, maxLength: length });
const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 4, maxLength: 4 });
const anyId = fc.tuple(digits(8), digits(6), hex).map((parts) => parts.join("-"));
const anyEntry: fc.Arbitrary<HistoryEntry> = fc.oneof(
  fc.tuple(anyId, fc.constantFrom(...outcomes)).map(([id, outcome]) => entryOf(id, outcome)),
  anyId.map((id) => ({ id, record: undefined, problem: "damaged" as const })),
);
const anyHistory = fc.uniqueArray(anyEntry, { selector: ({ id }) => id, maxLength: 30 });

describe("the id of a deployment", () => {
  test("is its time in UTC and four random digits", () => {
    expect(deploymentId("2026-11-21T15:40:12.345Z", Uint8Array.of(0x3f, 0x9c), undefined)).toBe("20261121-154012-3f9c");
  });

  test("sorts behind every earlier one, also when the clock was set back", () => {
    const time = fc
      .date({ min: new Date("1971-01-01"), max: new Date("9998-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
    const bytes = fc.uint8Array({ minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(time, bytes), { maxLength: 20 }), (deployments) => {
        const ids: string[] = [];
        for (const [when, random] of deployments) ids.push(deploymentId(when, random, ids.at(-1)));
        expect(ids).toEqual(ids.toSorted());
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(id).toMatch(deploymentIdPattern);
      }),
    );
    expect(deploymentId("2026-01-01T00:00:00Z", Uint8Array.of(0, 0), "20991231-235959-ffff")).toBe(
      "20991231-235960-0000",
    );
  });
});

describe("retention", () => {
  test("never drops the newest, the last good one, the one that runs, or one that a container points into", () => {
    const some = fc.option(fc.nat({ max: 40 }), { nil: undefined });
    fc.assert(
      fc.property(
        anyHistory,
        fc.integer({ min: 1, max: 12 }),
        some,
        fc.array(fc.nat({ max: 40 })),
        (history, keep, at, points) => {
          const running = at === undefined ? undefined : history[at]?.id;
          const mentioned = points.flatMap((index) => history[index]?.id ?? []);
          const gone = expired(history, { keep, running, mentioned });
          const newest = history
            .map(({ id }) => id)
            .toSorted()
            .toReversed()
            .slice(0, keep);
          for (const id of [running, lastGood(history)?.id, ...mentioned, ...newest]) expect(gone).not.toContain(id);
          expect(gone.length).toBe(new Set(gone).size);
          expect(history.length - gone.length).toBeLessThanOrEqual(2 * keep + 2 + mentioned.length);
        },
      ),
    );
  });

  test("drops the oldest beyond the number", () => {
    const ids = ["20260101-000000-0000", "20260102-000000-0000", "20260103-000000-0000", "20260104-000000-0000"];
    const history = ids.map((id, index) => entryOf(id, index === 0 ? "done" : "failed"));
    expect(expired(history, { keep: 2, running: undefined, mentioned: [] })).toEqual([ids[1]]);
    expect(expired(history, { keep: 1, running: ids[1], mentioned: [] })).toEqual([ids[2]]);
  });

  test("lets no failure, and no rollback after one, take away what there is to go back to", () => {
    const id = (digit: number) => `20260101-000000-000${digit}`;
    const back = { id: id(5), record: { ...recordOf(id(5)), command: "rollback" as const, of: id(2) } };
    const history = [
      entryOf(id(1), "done"),
      entryOf(id(2), "done"),
      entryOf(id(3), "failed"),
      entryOf(id(4), "failed"),
      back,
    ];
    expect(expired(history, { keep: 2, running: id(5), mentioned: [] })).toEqual([id(3)]);
  });

  test("knows the records that paths of containers lie in", () => {
    const id = "20260101-000000-0000";
    const paths = [`/s/history/${id}/model.json`, `/s/history/${id}/mounted/01-a`, "/s/history/../x", "/elsewhere"];
    expect(mentionedIds("/s/history", paths.join(","))).toEqual([id]);
    expect(mentionedIds("/s/history", "")).toEqual([]);
  });
});

describe("a record", () => {
  const id = "20261121-154012-3f9c";

  test("is read back as it was written", () => {
    const record = recordOf(id);
    expect(readRecord(id, JSON.parse(JSON.stringify(record)), 1)).toEqual({ id, record });
  });

  test("with keys that this version does not know is read without them", () => {
    expect(readRecord(id, { ...recordOf(id), more: 1 }, 1)).toEqual({ id, record: recordOf(id) });
  });

  test.each([
    ["of a newer version is named as such", { ...recordOf(id), version: 2 }, 2, "newer"],
    ["in the folder of another one is damaged", recordOf("20261121-154012-0000"), 1, "damaged"],
    [
      "whose copy lies elsewhere is damaged",
      { ...recordOf(id), mounted: [{ path: "/x", copy: "../x" }] },
      1,
      "damaged",
    ],
    ["without a seal is damaged", undefined, 1, "damaged"],
  ])("%s", (_what, sealed, version, problem) => {
    expect(readRecord(id, sealed, version)).toEqual({ id, record: undefined, problem });
  });

  test("of any shape never throws", () => {
    fc.assert(
      fc.property(fc.anything(), fc.option(fc.double(), { nil: undefined }), (json, version) => {
        expect(readRecord(id, json, version).record).toBeUndefined();
      }),
    );
    const keys = Object.keys(recordOf(id));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const entry = readRecord(id, { ...recordOf(id), [key]: value }, 1);
        expect(entry.id).toBe(id);
      }),
    );
  });

  test.each([
    ["begun", true, "in progress"],
    ["begun", false, "interrupted"],
    ["done", false, "done"],
    ["failed", false, "failed"],
    ["rolled-back", false, "rolled back"],
  ] as const)("that is %s, its process alive: %s, stands as %s", (outcome, alive, state) => {
    expect(stateOf({ outcome }, alive)).toBe(state);
  });
});

describe("a deployment is found", () => {
  const history = ["20260101-000000-aaaa", "20260102-000000-bbbb", "20260102-111111-cccc"].map((each) => entryOf(each));

  test.each([
    ["last", "20260102-111111-cccc"],
    ["20260101", "20260101-000000-aaaa"],
    ["20260102-1", "20260102-111111-cccc"],
  ])("by %s", (word, id) => {
    expect(findDeployment(history, word)).toMatchObject({ entry: { id } });
  });

  test("by nothing that could mean two, or none", () => {
    expect(findDeployment(history, "20260102")).toEqual({
      candidates: ["20260102-111111-cccc", "20260102-000000-bbbb"],
    });
    expect(findDeployment(history, "2027")).toEqual({ candidates: [] });
    expect(findDeployment([], "last")).toEqual({ candidates: [] });
  });
});

describe("what going back means", () => {
  const records = (...given: readonly [digit: string, outcome: DeploymentRecord["outcome"], of?: string][]) =>
    given.map(([digit, outcome, of]): DeploymentRecord => {
      const more = of === undefined ? {} : { command: "rollback" as const, of: idOf(of) };
      return { ...recordOf(idOf(digit)), outcome, ...more };
    });
  const idOf = (digit: string) => `20260101-000000-000${digit}`;

  test.each([
    ["the one before what runs", records(["1", "done"], ["2", "done"]), "2", "1"],
    ["over what failed or was rolled back", records(["1", "done"], ["2", "rolled-back"], ["3", "done"]), "3", "1"],
    [
      "further back the second time",
      records(["1", "done"], ["2", "done"], ["3", "done"], ["4", "done", "2"]),
      "4",
      "1",
    ],
    ["nothing behind the first one", records(["1", "done"], ["2", "done"], ["3", "done", "1"]), "3", undefined],
    [
      "the state before an automatic rollback's",
      records(["1", "done"], ["2", "done"], ["3", "rolled-back"], ["4", "done", "2"]),
      "4",
      "1",
    ],
    ["the last good one where a newer one failed", records(["1", "done"], ["2", "done"], ["3", "failed"]), "2", "2"],
    ["the last good one where a newer one was interrupted", records(["1", "done"], ["2", "begun"]), "1", "1"],
    ["the last good one after a down", records(["1", "done"], ["2", "done"]), undefined, "2"],
    [
      "a rollback where a newer deployment followed it",
      records(["1", "done"], ["2", "done", "1"], ["3", "done"]),
      "3",
      "2",
    ],
    ["nothing where nothing was verified", records(["1", "failed"]), undefined, undefined],
  ])("is %s", (_, given, running, expected) => {
    const found = deploymentBefore(given, running === undefined ? undefined : idOf(running));
    expect(found?.id).toBe(expected === undefined ? undefined : idOf(expected));
  });
});

describe("the tag of an image", () => {
  test("names project, service and deployment", () => {
    expect(imageTags("demo", { web: "web:1", store: "redis" }, "20261121-154012-3f9c")).toEqual({
      web: "demo/web:deploy-20261121-154012-3f9c",
      store: "demo/store:deploy-20261121-154012-3f9c",
    });
  });

  test("keeps the name by which the guard is known, and gives it to nothing else", () => {
    const images = { guard: "evil:1", keeper: "sandbox-deploy/guard:0.1.0" };
    expect(imageTags("sandbox-deploy", images, "20261121-154012-3f9c")).toEqual({
      guard: "sandbox-deploy/guard-2:deploy-20261121-154012-3f9c",
      keeper: "sandbox-deploy/guard:deploy-20261121-154012-3f9c",
    });
  });

  test("fits the grammar of references for every name that Compose allows, and no two services share one", () => {
    const serviceName = fc.string({ unit: fc.constantFrom(..."aB1-_."), minLength: 1, maxLength: 8 });
    const projectName = fc.string({ unit: fc.constantFrom(..."a1-_"), minLength: 1, maxLength: 8 });
    const reference = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*:deploy-[\w.-]+$/;
    fc.assert(
      fc.property(projectName, fc.uniqueArray(serviceName), (project, services) => {
        const images = Object.fromEntries(services.map((service) => [service, "web:1"]));
        const tags = imageTags(project, images, "20261121-154012-3f9c");
        expect(Object.keys(tags).toSorted()).toEqual(services.toSorted());
        for (const tag of Object.values(tags)) expect(tag).toMatch(reference);
        expect(new Set(Object.values(tags)).size).toBe(services.length);
      }),
    );
  });
});

describe("the table of the history", () => {
  const [id, earlier] = ["20261121-154012-0a1b", "20261120-090000-0c2d"];
  const listed = [
    { entry: { id, record: recordOf(id) }, state: "done", runs: true },
    {
      entry: { id: earlier, record: { ...recordOf(earlier), who: "operator", mode: "provisioner" } },
      state: "done",
      runs: false,
    },
  ] as const;

  test.each([
    [120, "id when (UTC) command mode took who outcome"],
    [80, "id command mode took who outcome"],
    [60, "id command mode outcome"],
    [40, "id outcome"],
  ])("leaves out on %d columns what the rest says anyway, and breaks no line", (columns, head) => {
    const lines = historyText(listed, columns).split("\n");
    expect(lines[0]?.replace(/ {2,}/g, " ")).toBe(head);
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines[1]).toMatch(/^20261121-154012-0a1b .*done, runs now$/);
  });
});
