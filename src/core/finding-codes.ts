/** What kind of stop an error of this code is: `input` exits 2, `refused` exits 3, `failed` exits 1. */
export type CodeKind = "input" | "refused" | "failed";

/** What is known of one code. */
export interface CodeEntry {
  readonly kind: CodeKind;
  /** One sentence for the table of codes in the README. */
  readonly title: string;
}

/** Every finding code there is. Codes are stable: a code may be retired, never reused. */
export const findingCodes = {
  D001: { kind: "input", title: "The command line is not understood." },
  // deploy.config.yaml
  D010: { kind: "input", title: "A YAML file cannot be parsed." },
  D011: { kind: "input", title: "A configuration key is not known." },
  D012: { kind: "input", title: "A configuration value is not one of those allowed." },
  D013: { kind: "input", title: "A configuration value has the wrong type, or a required one is missing." },
  D014: {
    kind: "input",
    title: "A file that the configuration or the command line names does not exist or cannot be read.",
  },
  // the platform's configuration
  D020: { kind: "input", title: "The platform would refuse to load its configuration file." },
  D021: { kind: "input", title: "The platform's configuration names an environment variable that is not set." },
  D022: { kind: "input", title: "The platform's configuration holds a key twice; the platform uses the last one." },
  D023: { kind: "input", title: "The sandbox provider is not known; the mode that grants least is assumed." },
  D024: { kind: "input", title: "The platform's configuration names no sandbox provider, or not as text." },
  D025: { kind: "input", title: "The mode is forced and differs from what the platform's configuration says." },
  // the environment file and the Compose model
  D030: { kind: "input", title: "The environment file cannot be parsed." },
  D031: { kind: "input", title: "A Compose file needs a variable that is not set." },
  D032: { kind: "input", title: "Docker Compose refuses the merged files." },
  D033: { kind: "input", title: "A service that the configuration or the command line names is not in the stack." },
  D034: { kind: "input", title: "A value of the environment file refers to a variable that is not set." },
  D035: { kind: "input", title: "The guard would refuse its policy." },
  D036: { kind: "input", title: "The guard's policy allows something that may not be meant." },
  // the machine
  D040: { kind: "refused", title: "Docker is not installed." },
  D041: { kind: "refused", title: "The Docker daemon does not answer." },
  D042: { kind: "refused", title: "This user may not use the Docker socket." },
  D043: { kind: "refused", title: "Docker Compose version 2 is not installed." },
  D044: { kind: "refused", title: "Docker Compose is too old." },
  D045: { kind: "refused", title: "The Docker socket that the mode needs is missing or is not a socket." },
  D046: {
    kind: "refused",
    title: "The kubeconfig that provisioner mode needs is missing, no file, or not readable for it.",
  },
  D047: { kind: "refused", title: "A port that the stack publishes is in use." },
  D048: { kind: "refused", title: "The source of a bind mount does not exist." },
  D049: { kind: "refused", title: "A file could not be written: the disk is full or the folder is read-only." },
  D050: { kind: "refused", title: "An image is missing and may neither be built nor pulled." },
  // decisions
  D060: { kind: "refused", title: "A new privilege that reaches the host has not been accepted." },
  D061: { kind: "refused", title: "Data would be lost and nobody confirmed it." },
  D062: { kind: "input", title: "A secret that the stack needs is empty." },
  D063: { kind: "refused", title: "Another deploy of this folder, or of this project on its engine, is running." },
  D064: { kind: "refused", title: "The situation changed between the plan and its start." },
  D065: { kind: "refused", title: "Containers known only by their names would be removed and nobody confirmed it." },
  D066: { kind: "refused", title: "A project of this name was deployed from another folder." },
  D067: { kind: "refused", title: "The project that this folder deployed before still runs under another name." },
  D068: { kind: "refused", title: "There is nothing to restart." },
  D069: { kind: "refused", title: "A lock whose owner may still run would be removed and nobody confirmed it." },
  // values of the environment and secrets
  D100: { kind: "refused", title: "A variable has two values." },
  D101: { kind: "input", title: "A variable stands more than once in the environment file." },
  D102: { kind: "input", title: "Compose fills in a variable in the value of a secret." },
  D103: { kind: "refused", title: "A secret has a value that everybody knows." },
  D104: { kind: "refused", title: "A secret is short or regular." },
  D105: { kind: "refused", title: "Two secrets have the same value." },
  D106: { kind: "refused", title: "Others may read or change the environment file." },
  D107: { kind: "refused", title: "The environment file is in a git repository." },
  D108: { kind: "refused", title: "A build gets the environment file or the secret files." },
  D109: { kind: "input", title: "No service reads a secret of the environment file." },
  D110: { kind: "refused", title: "A database would get another password than its data has." },
  D111: { kind: "refused", title: "A value cannot be taken as a secret." },
  D112: { kind: "input", title: "There is no secret of that name, or none was named." },
  D113: { kind: "refused", title: "A secret cannot be rotated." },
  D114: { kind: "failed", title: "A rotation failed, and the old secrets are back." },
  D115: { kind: "failed", title: "A rotation failed, and the old secrets could not be brought back." },
  D116: { kind: "refused", title: "A rotation of secrets was interrupted." },
  // the result
  D070: { kind: "failed", title: "A service did not become healthy." },
  D071: { kind: "failed", title: "The front door does not answer as it should." },
  D072: { kind: "failed", title: "A container holds more, or is confined less, than planned." },
  D073: { kind: "failed", title: "The running gateway reports another mode than planned." },
  D074: { kind: "failed", title: "Docker Compose failed." },
  D075: { kind: "failed", title: "Something of the stack could not be removed." },
  D076: { kind: "failed", title: "A container shows a secret to everybody who may list containers." },
  // what the tool keeps of earlier deployments
  D080: { kind: "input", title: "The receipt of the last deployment cannot be used." },
  D081: { kind: "input", title: "The history has no such deployment, or its record cannot be read." },
  // going back
  D097: { kind: "refused", title: "An earlier deployment cannot run again." },
  D098: { kind: "failed", title: "A deployment failed, and what ran before it is back, or could not be brought back." },
  D099: { kind: "refused", title: "What a rollback leaves as it is may be of a newer version." },
} as const satisfies Record<string, CodeEntry>;

/** One of the codes. */
export type FindingCode = keyof typeof findingCodes;
