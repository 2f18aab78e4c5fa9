/**
 * What a project may be called: it becomes a part of the names of containers, networks, volumes and paths. Characters as
 * Compose has them; no longer than one part of a host name (RFC 1035), which is also what the gateway takes.
 */
export const projectNamePattern: RegExp = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The rule in words, after "must be". */
export const projectNameRule = "1 to 63 lower-case letters, digits, - and _, beginning with a letter or digit";
