import type { PrivilegeContext } from "../../src/core/privileges/privilege.ts";
import { privilegesOfModel } from "../../src/core/privileges/privileges.ts";
import { type ComposeModel, parseModel } from "../../src/core/stack/model.ts";

/** An operator's host: the project in /srv/demo, Alice's home. */
export const host: PrivilegeContext = { projectRoot: "/srv/demo", home: "/home/alice" };

/** Parses a model that is nearly empty, or fails the test with the findings. */
export function modelOf(json: Record<string, unknown>): ComposeModel {
  const parsed = parseModel({ name: "demo", ...json });
  if (!parsed.ok) throw new Error(parsed.findings.map(({ message }) => message).join("\n"));
  return parsed.value;
}

/** What the service `app` is granted, each as `kind | detail` or `kind | detail | consent`. */
export function granted(service: unknown, rest: Record<string, unknown> = {}, context = host): string[] {
  const privileges = privilegesOfModel(modelOf({ services: { app: service }, ...rest }), context, ["app"]);
  return privileges.map(({ kind, detail, consent }) =>
    [kind, detail, ...(consent === undefined ? [] : [consent])].join(" | "),
  );
}

/** A service with one bind. */
export function bind(source: string, readOnly = false, target = "/mnt") {
  return { volumes: [{ type: "bind", source, target, ...(readOnly ? { read_only: true } : {}) }] };
}
