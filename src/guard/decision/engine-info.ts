import { type JsonObject, type JsonValue, jsonInteger } from "../request/json.ts";

/**
 * The answer to `GET /info`. The engine's own tells of the host, its registries and everybody's containers; clients need
 * little of it: whether this is Linux, and that it is no swarm.
 */
export function engineInfo(): JsonObject {
  return new Map<string, JsonValue>([
    ["ID", ""],
    ["Name", "sandbox-guard"],
    ["OSType", "linux"],
    ["OperatingSystem", "Linux, behind a sandbox guard"],
    ["Architecture", ""],
    ["ServerVersion", ""],
    ["IndexServerAddress", "https://index.docker.io/v1/"],
    ["NCPU", jsonInteger(0)],
    ["MemTotal", jsonInteger(0)],
    ["Containers", jsonInteger(0)],
    ["Images", jsonInteger(0)],
    ["Labels", []],
    ["SecurityOptions", []],
    ["Warnings", null],
    [
      "Swarm",
      new Map<string, JsonValue>([
        ["NodeID", ""],
        ["LocalNodeState", "inactive"],
        ["ControlAvailable", false],
      ]),
    ],
  ]);
}
