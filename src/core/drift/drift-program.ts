import type { Concealed } from "../secrets/concealed.ts";
import type { Compared, Difference } from "./drift.ts";
import { mapRows, row, secretRow } from "./drift-rows.ts";

/** Entrypoint and command: one that the service does not have is the image's, unless an entrypoint of its own replaces both. */
export function commandRows({ service, container, image }: Compared): Difference[] {
  const { settings } = container;
  const entrypoint = service.entrypoint.length > 0 ? service.entrypoint : image?.entrypoint;
  const inherited = service.entrypoint.length > 0 ? [] : image?.command;
  const command = service.command.length > 0 ? service.command : inherited;
  const text = (words: readonly string[] | undefined) => words && (words.length === 0 ? "" : JSON.stringify(words));
  return [
    ...secretRow("command", text(command), text(settings.command) ?? ""),
    ...secretRow("entrypoint", text(entrypoint), text(settings.entrypoint) ?? ""),
    ...row("user", service.user ?? image?.user, settings.user),
    ...row(
      "working directory",
      plainPath(service.settings.workingDir ?? image?.workingDir),
      plainPath(settings.workingDir) ?? "",
    ),
    ...row("host name", service.settings.hostname, settings.hostname),
    ...row("terminal", String(service.settings.tty), String(settings.tty)),
    ...row("stop signal", service.settings.stopSignal ?? image?.stopSignal, settings.stopSignal),
    ...row(
      "stop grace period",
      seconds(service.settings.stopGracePeriod),
      seconds((settings.stopSeconds ?? 10) * 1e9) ?? "",
    ),
  ];
}

function plainPath(path: string | undefined): string | undefined {
  return path === undefined || path === "/" ? path : path.replace(/\/+$/, "");
}

/** Compose hands on whole seconds; where nobody said, it says nothing. */
function seconds(nanoseconds: number | undefined): string | undefined {
  return nanoseconds === undefined ? undefined : `${Math.floor(nanoseconds / 1e9)}s`;
}

/** What the Docker client adds to every container, from the operator's own settings. */
const proxyVariables = /^(https?|ftp|no|all)_proxy$/i;

/** Keys of the environment, by name. */
export function environmentRows({ service, container, image }: Compared): Difference[] {
  const wanted = { ...revealed(image?.environment ?? {}), ...revealed(service.environment) };
  const found = revealed(container.settings.environment);
  const isOwn = (key: string) =>
    image !== undefined &&
    !proxyVariables.test(key) &&
    !(service.useApiSocket && key === "DOCKER_CONFIG") &&
    service.models.length === 0;
  // A key without a value takes the image's away, and engines keep it as it is.
  const unset = Object.entries(service.environment).flatMap(([key, value]) => (value === null ? [key] : []));
  const without = (map: Record<string, string>) =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !unset.includes(key)));
  return mapRows("environment key", without(wanted), without(found), isOwn);
}

/** Labels, by name; Compose's own say where a container comes from and not what it is. */
export function labelRows({ service, container, image }: Compared): Difference[] {
  const brought = Object.fromEntries(Object.entries(image?.labels ?? {}).map(([key, value]) => [key, value.reveal()]));
  const found = Object.entries(container.settings.labels).filter(
    ([key]) => !/^(com\.docker\.compose|desktop\.docker\.io)[./]/.test(key),
  );
  return mapRows(
    "label",
    { ...brought, ...service.labels },
    Object.fromEntries(found.map(([key, value]) => [key, value.reveal()])),
    () => image !== undefined,
  );
}

/** The health check: its words may hold a secret. */
export function healthRows({ service, container, image }: Compared): Difference[] {
  const { healthcheck: wanted } = service;
  const found = container.settings.healthcheck;
  const foundTest = JSON.stringify(found?.test ?? []);
  if (wanted?.disable) return secretRow("health check", '["NONE"]', foundTest);
  const test = wanted?.test === undefined ? image?.healthcheck?.test : [wanted.test].flat();
  const times = (["interval", "timeout", "startPeriod", "retries"] as const).filter(
    (key) => (wanted?.[key] ?? 0) > 0 && wanted?.[key] !== (found?.[key] ?? 0),
  );
  const tests =
    image === undefined && wanted?.test === undefined
      ? []
      : secretRow("health check", JSON.stringify(test ?? []), foundTest);
  return tests.length > 0 || times.length === 0 ? tests : [{ what: "times of the health check", change: "changed" }];
}

function revealed(values: Readonly<Record<string, Concealed | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [[key, value.reveal()]])),
  );
}
