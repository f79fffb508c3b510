/** `bun test --preload` of this file, with a planted bug's name in NOVA_PLANTED: the tests run with that bug. */
import { plant } from "./Plant.ts"

plant(process.env.NOVA_PLANTED ?? "")
