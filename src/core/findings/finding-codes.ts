/** What kind of stop an error of this code is: `input` exits 2, `refused` exits 3, `failed` exits 1. */
export type CodeKind = "input" | "refused" | "failed";

/** What is known of one code. */
export interface CodeEntry {
  readonly kind: CodeKind;
  /** One sentence for the table of codes in the README and the page on troubleshooting. */
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
  D048: { kind: "refused", title: "The source of a bind mount does not exist, or its service may not read it." },
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
  D118: { kind: "refused", title: "A secret that had a value has none any more." },
  // in a pipeline
  D117: { kind: "refused", title: "A file that tells a pipeline of a command could not be written." },
  // what a machine lacks
  D160: { kind: "failed", title: "Docker could not be installed." },
  D161: { kind: "refused", title: "No image registry can be reached." },
  // answers for setup
  D180: { kind: "input", title: "Setup needs an answer and there is nobody to ask." },
  D181: { kind: "input", title: "An answer for setup cannot be taken, or has no effect." },
  D182: { kind: "input", title: "A file of answers for setup cannot be read." },
  D183: { kind: "input", title: "Setup cannot change a file with certainty." },
  D184: { kind: "refused", title: "This machine does not fit an answer for setup." },
  // the front door's certificate
  D120: { kind: "input", title: "A file of the certificate does not exist or cannot be read." },
  D121: { kind: "input", title: "A certificate and its key cannot be used, or not together." },
  D122: { kind: "input", title: "The certificate is not for the domain." },
  D123: { kind: "input", title: "The certificate has expired, or is not valid yet." },
  D124: { kind: "input", title: "The certificate's chain is out of order or incomplete." },
  D125: { kind: "refused", title: "Others may read the private key of the certificate." },
  D126: { kind: "failed", title: "Little is left of the certificate's lifetime." },
  D127: { kind: "failed", title: "The certificate could not be fetched or renewed." },
  D128: { kind: "failed", title: "The front door shows no certificate, or another one than it should." },
  D129: { kind: "input", title: "What the certificate authority wants of its clients is missing." },
  D130: { kind: "input", title: "The stack's own proxy does not follow public.tls." },
  // logins that are lent
  D140: { kind: "refused", title: "A login that is to be lent is not there." },
  D141: { kind: "refused", title: "Others on this machine may read or change a login that is to be lent." },
  D142: { kind: "refused", title: "A login would reach more than the configuration says." },
  D143: { kind: "refused", title: "A service may not read the directory of a login." },
  // the public URL
  D144: { kind: "refused", title: "The environment contradicts the public URL." },
  // who reaches the stack
  D145: { kind: "refused", title: "More would reach the stack than before, and nobody confirmed it." },
  D146: { kind: "refused", title: "Others reach the stack, and something that must hold then does not." },
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
  // key and open
  D170: { kind: "refused", title: "There is no key to print." },
  D171: { kind: "refused", title: "There is no page to open." },
  // what only doctor looks at
  D200: { kind: "refused", title: "A check of doctor did not end in its time." },
  D201: { kind: "refused", title: "Docker's builder, buildx, is not installed." },
  D202: { kind: "refused", title: "The Docker Engine is older than a version that closes a known hole." },
  D203: { kind: "refused", title: "Docker Compose is older than a version that closes a known hole." },
  D204: {
    kind: "refused",
    title: "The runtime runc, or containerd, is older than a version that closes a known hole.",
  },
  D205: { kind: "refused", title: "The engine takes commands over the network without encryption." },
  D206: { kind: "refused", title: "The engine is on another machine." },
  D207: { kind: "refused", title: "Everybody on this machine may use the Docker socket." },
  D208: { kind: "refused", title: "The kernel does not enforce a limit that the stack counts on." },
  D209: { kind: "refused", title: "The engine's storage is slow, or loses files." },
  D210: { kind: "refused", title: "There is little disk space, or too little." },
  D211: { kind: "refused", title: "There is less memory than the stack may use." },
  D212: { kind: "refused", title: "The clock of this machine or of its engine is wrong." },
  D213: { kind: "refused", title: "The name of a registry cannot be looked up." },
  D214: { kind: "refused", title: "A registry cannot be reached." },
  D215: { kind: "refused", title: "Shell, engine or containers have proxies that do not fit." },
  D216: { kind: "refused", title: "A firewall does not protect the ports that Docker publishes." },
  D217: { kind: "refused", title: "Others may read or change what belongs to the one who deploys." },
  D218: { kind: "refused", title: "The cluster cannot be reached." },
  D219: { kind: "refused", title: "The kubeconfig is of no use, or not to a provisioner." },
  D220: { kind: "refused", title: "The provisioner may not make sandboxes in the cluster." },
  D221: { kind: "refused", title: "The provisioner may do more in the cluster than it needs." },
  D222: { kind: "refused", title: "Something of another mode is left over." },
  D223: { kind: "refused", title: "A lock is left over from a deploy that died." },
  D224: { kind: "refused", title: "Containers were changed by hand since the last deployment." },
} as const satisfies Record<string, CodeEntry>;

/** One of the codes. */
export type FindingCode = keyof typeof findingCodes;
