import { stringify } from "yaml";
import { keeperOf, type Lent, lentFolder, lentTarget, sourceFolder } from "./credential.ts";
import { credentialLabel } from "./credential-grants.ts";

type Tree = Readonly<Record<string, unknown>>;

/** What an overlay has to know of the tool and the stack. */
export interface OverlayGround {
  /** The tool's own folder, from which the keeper's image is built. */
  readonly toolRoot: string;
  /** Whether the default stack is deployed, whose gateway has a user of its own. */
  readonly isDefaultStack: boolean;
}

const heading = ` Made by ./deploy from credentials: in deploy.config.yaml; another content has another name.
 Grants: the logins below, each to one service. No value stands in here.
`;

/** The Compose file that lends credentials, each to one service; what is missing on the host is lent all the same, and refused elsewhere. */
export function credentialOverlay(lent: readonly Lent[], ground: OverlayGround): Tree {
  const files = lent.filter(({ form }) => form === "file");
  const receivers = [...new Set(lent.map(({ service }) => service))];
  const services = receivers.map((service) => [
    service,
    receiverOf(
      lent.filter((each) => each.service === service),
      ground,
    ),
  ]);
  const keepers = lent.flatMap((each) => (each.form === "file" ? [[keeperOf(each.name), keeper(each, ground)]] : []));
  const volumes = files.map(({ name }) => [keeperOf(name), memoryVolume]);
  return {
    services: Object.fromEntries([...services, ...keepers]),
    ...(volumes.length === 0 ? {} : { volumes: Object.fromEntries(volumes) }),
  };
}

/** An overlay as a file: the same content has the same text, so that its hash can be its name. */
export function overlayText(overlay: Tree, comment = heading): string {
  return `${comment
    .trimEnd()
    .split("\n")
    .map((line) => `#${line}`)
    .join("\n")}\n${stringify(overlay, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** In memory, so that no copy of a login outlasts the containers that use it. */
const memoryVolume = {
  driver: "local",
  driver_opts: { type: "tmpfs", device: "tmpfs", o: "size=1m,mode=1777,noexec,nosuid,nodev" },
};

function receiverOf(lent: readonly Lent[], { isDefaultStack }: OverlayGround): Tree {
  const passed = lent.flatMap((each) => (each.form === "env" && each.chosen ? [each.chosen.variable] : []));
  const paths = lent.flatMap((each) =>
    each.form === "env" ? [] : each.pathVariables.map((variable) => [variable, literal(lentTarget(each))]),
  );
  const kept = lent.filter(({ form }) => form === "file");
  const bound = lent.filter((each) => each.form === "directory");
  const mounts = [
    ...kept.map(({ name }) => volumeMount(name, true)),
    ...bound.map((each) => readOnlyBind(each.path, lentTarget(each))),
  ];
  return {
    // A directory is open to its owner alone, so the service has to be that user.
    ...(bound.length > 0 && isDefaultStack ? { user: "${CLI_AUTH_USER:-10002:10002}" } : {}),
    ...(kept.length > 0
      ? { depends_on: Object.fromEntries(kept.map(({ name }) => [keeperOf(name), { condition: "service_healthy" }])) }
      : {}),
    ...(passed.length + paths.length > 0
      ? {
          // Without a value Compose passes on what the environment has: no value stands in a file.
          environment: { ...Object.fromEntries(passed.map((name) => [name, null])), ...Object.fromEntries(paths) },
        }
      : {}),
    ...(passed.length > 0 ? { labels: { [credentialLabel]: passed.toSorted().join(",") } } : {}),
    ...(mounts.length > 0 ? { volumes: mounts } : {}),
  };
}

function volumeMount(name: string, isReader: boolean): Tree {
  return {
    type: "volume",
    source: keeperOf(name),
    target: lentFolder(name),
    ...(isReader ? { read_only: true } : {}),
    volume: { nocopy: true },
  };
}

function readOnlyBind(source: string, target: string): Tree {
  return {
    ...{ type: "bind", source: literal(source), target: literal(target) },
    ...{ read_only: true, bind: { create_host_path: false } },
  };
}

/** Compose fills in what follows a `$` in a file. */
function literal(text: string): string {
  return text.replaceAll("$", () => "$$");
}

/**
 * Holds one file, and copies what is in it into memory for the service. A bind stays with the file that was there at the
 * start: once that is replaced on the host, or has another name there, the kernel's table of mounts says so (proc(5),
 * mountinfo), and a file of the network has no link or no content left. Then the engine starts this program again with the new one.
 */
const script = [
  "umask 022",
  `mounted() { grep " ${sourceFolder}/" /proc/self/mountinfo; }`,
  "held=$(mounted)",
  "case $held in *//deleted*) held= ;; esac",
  "while :; do",
  '  if [ ! -e "$0" ] || [ "$(stat -c %h "$0")" = 0 ] || [ "$(mounted)" != "$held" ]; then sleep 1; exit 0; fi',
  '  if [ -s "$0" ] && ! cmp -s "$0" "$1"; then cat "$0" >"$1.new" && mv "$1.new" "$1"; fi',
  "  sleep 1",
  "done",
].join("\n");

function keeper({ name, path, fact }: Extract<Lent, { form: "file" }>, { toolRoot }: OverlayGround): Tree {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const source = `${sourceFolder}/${file}`;
  const target = lentTarget({ name, path, form: "file" });
  return {
    image: "${GUARD_IMAGE:-sandbox-deploy/guard:0.1.0}",
    build: {
      context: literal(toolRoot),
      dockerfile: "compose/images/guard/Dockerfile",
      args: { NODE_IMAGE: null },
    },
    // The file is its owner's alone.
    user: `${fact?.uid ?? 65_534}:${fact?.gid ?? 65_534}`,
    entrypoint: ["sh", "-c", literal(script), literal(source), literal(target)],
    command: [],
    volumes: [readOnlyBind(path, source), volumeMount(name, false)],
    network_mode: "none",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    init: true,
    restart: "unless-stopped",
    stop_grace_period: "5s",
    mem_limit: "32m",
    memswap_limit: "32m",
    cpus: 0.2,
    pids_limit: 16,
    healthcheck: {
      test: ["CMD", "test", "-s", literal(target)],
      interval: "5s",
      timeout: "3s",
      retries: 6,
      start_period: "10s",
    },
    logging: { driver: "json-file", options: { "max-size": "1m", "max-file": "1" } },
  };
}
