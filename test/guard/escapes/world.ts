/** Something that exists on the engine, by its name and its full id. */
export interface Named {
  readonly name: string;
  readonly id: string;
}

/** The things that the escapes reach for: the sandbox's own, what the policy allows, and what belongs to others. */
export interface World {
  /** Six hexadecimal digits that stand in the name of everything the test makes. */
  readonly run: string;
  /** The newest version of the API that the engine speaks. */
  readonly apiVersion: string;
  /** Stands in every secret of others: an answer that holds it, or something that follows from it, is a leak. */
  readonly canary: string;
  readonly names: {
    /** The name that every escape gives to its container: within the policy. */
    readonly escape: string;
    /** Another name within the policy. */
    readonly other: string;
  };
  /** The one image that may be run. */
  readonly image: { readonly reference: string; readonly id: string };
  /** An image of somebody else on the same engine. */
  readonly foreignImage: { readonly reference: string; readonly id: string };
  /** The sandbox network, and one of somebody else. */
  readonly network: Named;
  readonly foreignNetwork: Named;
  readonly foreignVolume: string;
  /** A local volume of somebody else whose driver options mount the directory `outside`. */
  readonly foreignBindVolume: string;
  /** The directory below which binds are allowed: `threads/<name>` at `/mnt/<name>`. */
  readonly root: string;
  /** A directory of the host that nobody may mount; it holds a canary. */
  readonly outside: string;
  /** A sandbox of our own, running. */
  readonly mine: Named;
  /** A port of the host's loopback that only the engine can reach from where the client is. */
  readonly port: number;
  /** A time when everything of the world was there already, in seconds since 1970. */
  readonly now: number;
  /** How many connections came to that port. */
  readonly knocks: () => number;
  /** Somebody else's container, running. */
  readonly foreign: Named;
  /** An exec of somebody else's container, not started. */
  readonly foreignExec: string;
}

const hex = (digit: string, length: number) => digit.repeat(length);

/** A world that exists only in names: for tests without an engine, and for documents. */
export const inventedWorld: World = {
  run: "0a1b2c",
  apiVersion: "1.41",
  canary: "canary-0a1b2c",
  names: { escape: "sandbox-0a1b2c-x", other: "sandbox-0a1b2c-y" },
  image: { reference: "sandbox-deploy/test-escape-0a1b2c:1", id: `sha256:${hex("1", 64)}` },
  foreignImage: { reference: "sandbox-deploy/test-foreign-0a1b2c:1", id: `sha256:${hex("2", 64)}` },
  network: { name: "escape-0a1b2c-sandboxes", id: hex("3", 64) },
  foreignNetwork: { name: "escape-0a1b2c-office", id: hex("4", 64) },
  foreignVolume: "escape-0a1b2c-data",
  foreignBindVolume: "escape-0a1b2c-host",
  root: "/srv/escape-0a1b2c/root",
  outside: "/srv/escape-0a1b2c/outside",
  port: 40_000,
  now: 1_700_000_000,
  knocks: () => 0,
  mine: { name: "sandbox-0a1b2c-mine", id: hex("5", 64) },
  foreign: { name: "escape-0a1b2c-foreign", id: hex("6", 64) },
  foreignExec: hex("7", 64),
};
