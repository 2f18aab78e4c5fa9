import * as z from "zod";

// Each schema is used once in a run: compiling a fast parser for it would cost more than it saves. This must come
// before the first schema, so every file that makes one imports this one first.
z.config({ jitless: true });
