import { type InspectedParts, inspected } from "../../support/inspected.ts";
import type { Rule } from "./scripted-docker.ts";

/** Rules by which the engine has exactly these containers, by name; with `times` only for so many lists of them. */
export function containersThere(containers: Readonly<Record<string, InspectedParts>>, times?: number): Rule[] {
  const made = Object.entries(containers).map(([name, parts]) => ({ name, labels: parts.labels ?? {}, parts }));
  const rows = made.map(({ name, labels }) =>
    [
      `id-${name}`,
      name,
      labels["com.docker.compose.project"],
      "False",
      labels["sandbox-deploy.project"],
      labels["sandbox-deploy.role"],
    ].join("\t"),
  );
  const documents = made.map(({ name, labels, parts }) =>
    inspected({ ...parts, Id: `id-${name}`, Name: `/${name}`, labels }),
  );
  return [
    {
      when: "^ps .*oneoff",
      stdout: rows.map((row) => `${row}\n`).join(""),
      ...(times === undefined ? {} : { times }),
    },
    { when: "^container inspect", stdout: JSON.stringify(documents) },
  ];
}

/** The labels of a Compose service's container. */
export function serviceLabels(project: string, service: string): Record<string, string> {
  return { "com.docker.compose.project": project, "com.docker.compose.service": service };
}

/** The labels of a sandbox. */
export function sandboxLabels(project: string): Record<string, string> {
  return { "sandbox-deploy.project": project, "sandbox-deploy.role": "sandbox" };
}
