/** One setting, and the kinds that there are: each has a name, a meaning, bounds, and what holds when nothing is given. */
import { Config, Schema } from "effect"

export interface Setting<A> {
  readonly name: string
  readonly about: string
  /** Shown in `.env.example`; undefined where a value must be given. */
  readonly fallback: string | undefined
  readonly config: Config.Config<A>
}

/** Every setting that has been defined, in the order of their definition. */
export const settings: Array<Setting<unknown>> = []

export const define = <A>(setting: Setting<A>): Config.Config<A> => {
  settings.push(setting)
  return setting.config
}

export const text = (name: string, about: string, fallback: string) =>
  define({ name, about, fallback, config: Config.NonEmptyString(name).pipe(Config.withDefault(fallback)) })

export const requiredText = (name: string, about: string) =>
  define({ name, about, fallback: undefined, config: Config.NonEmptyString(name) })

export const optionalText = (name: string, about: string) =>
  define({ name, about, fallback: "", config: Config.option(Config.NonEmptyString(name)) })

export const secret = (name: string, about: string) =>
  define({ name, about, fallback: undefined, config: Config.Redacted(name) })

/** What must be given only where another setting asks for it; `about` says which. */
export const conditionalText = (name: string, about: string, pattern: RegExp, expected: string) =>
  define({
    name,
    about,
    fallback: "",
    config: Config.schema(Schema.String.check(Schema.isPattern(pattern, { expected })), name),
  })

export const conditionalSecret = (name: string, about: string) =>
  define({ name, about, fallback: "", config: Config.Redacted(name) })

/** A whole number within limits: outside of them a program would hang, spin, or be refused by the network. */
export const count = (name: string, about: string, fallback: number, minimum: number, maximum: number) =>
  define({
    name,
    about,
    fallback: String(fallback),
    config: Config.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })), name).pipe(
      Config.withDefault(fallback),
    ),
  })

/** A whole number within limits, or nothing: then the program chooses. */
export const optionalCount = (name: string, about: string, minimum: number, maximum: number) =>
  define({
    name,
    about,
    fallback: "",
    config: Config.option(Config.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })), name)),
  })

/** One of a few words. */
export const choice = <const Words extends ReadonlyArray<string>>(
  name: string,
  about: string,
  words: Words,
  fallback: NoInfer<Words[number]>,
) =>
  define({
    name,
    about,
    fallback,
    config: Config.Literals(words, name).pipe(Config.withDefault(fallback)),
  })

export const port = (name: string, about: string, fallback: number) =>
  define({
    name,
    about,
    fallback: String(fallback),
    config: Config.Port(name).pipe(Config.withDefault(fallback)),
  })
