/** The folder that `npm start` works in, and the files that it keeps there. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { Config, ConfigProvider, Effect, Layer, Option, Schema } from "effect"
import { DemoKeys, makeDemoKeys } from "../../src/demo/DemoKeys.ts"
import * as Settings from "../../src/kernel/Settings.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"

/** The folder of package.json. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Home {
  readonly path: string
  readonly postgres: string
  readonly ledgerFile: string
  readonly keysFile: string
  readonly demoFile: string
  /** What the programs of the last start were given: operators' commands find the running system by it. */
  readonly settingsFile: string
  readonly logOf: (program: string) => string
}

const unwritable = (path: string, cause: unknown) =>
  new StartupFailure({
    message: `${path} cannot be written (${cause instanceof Error ? cause.message : String(cause)}): start as its owner, free some space, or set NOVA_HOME to a folder of yours.`,
  })

const homePath = Effect.map(
  Effect.orElseSucceed(Settings.novaHome, () => Option.none<string>()),
  (given) => resolve(Option.getOrElse(given, () => join(packageRoot, ".nova"))),
)

/** `NOVA_HOME`, or .nova beside package.json; made where it is missing. */
export const openHome: Effect.Effect<Home, StartupFailure> = Effect.gen(function* () {
  const path = yield* homePath
  yield* Effect.try({
    try: () => mkdirSync(join(path, "logs"), { recursive: true }),
    catch: (cause) => unwritable(path, cause),
  })
  return {
    path,
    postgres: join(path, "postgres"),
    ledgerFile: join(path, "localnet", "ledger"),
    keysFile: join(path, "keys.json"),
    demoFile: join(path, "demo.json"),
    settingsFile: join(path, "settings.json"),
    logOf: (program) => join(path, "logs", `${program}.log`),
  }
})

/** Replaces the file as a whole, durably, readable by its owner alone: it holds secrets. */
const writeSecretFile = (path: string, text: string) =>
  Effect.try({
    try: () => {
      const draft = `${path}.new`
      const file = openSync(draft, "w", 0o600)
      writeSync(file, text)
      fsyncSync(file)
      closeSync(file)
      chmodSync(draft, 0o600)
      renameSync(draft, path)
    },
    catch: (cause) => unwritable(path, cause),
  })

/** Writes a value as JSON. */
export const writeJson = (path: string, value: unknown) =>
  writeSecretFile(path, `${JSON.stringify(value, null, 2)}\n`)

/** The file's text; none where there is no such file. */
export const readText = (path: string): Effect.Effect<Option.Option<string>, StartupFailure> =>
  Effect.try({
    try: () => (existsSync(path) ? Option.some(readFileSync(path, "utf8")) : Option.none()),
    catch: (cause) =>
      new StartupFailure({ message: `${path} cannot be read (${String(cause)}): start as its owner.` }),
  })

/** The embedded network's secrets, made once. */
export const loadKeys = Effect.fn("Home.loadKeys")(function* (home: Home) {
  const text = yield* readText(home.keysFile)
  if (Option.isSome(text)) {
    return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(DemoKeys))(text.value).pipe(
      Effect.mapError(
        () =>
          new StartupFailure({
            message: `${home.keysFile} is damaged: restore it, or remove ${home.path} to start over with empty data.`,
          }),
      ),
    )
  }
  const keys = makeDemoKeys()
  yield* writeJson(home.keysFile, keys)
  return keys
})

const GivenSettings = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/**
 * The settings of the system that `npm start` runs, for an operator who gave no DATABASE_URL. All or none: a database
 * of one system and a network of another would be compared with each other.
 */
export const runningSettings = Layer.unwrap(
  Effect.gen(function* () {
    const given = yield* Config.option(Config.NonEmptyString("DATABASE_URL"))
    if (Option.isSome(given)) return Layer.empty
    const text = yield* readText(join(yield* homePath, "settings.json"))
    if (Option.isNone(text)) return Layer.empty
    const env = yield* Schema.decodeUnknownEffect(GivenSettings)(text.value)
    return ConfigProvider.layerAdd(ConfigProvider.fromEnv({ env }), { asPrimary: true })
  }).pipe(Effect.orDie),
)
