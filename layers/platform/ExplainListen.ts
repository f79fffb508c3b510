/** Why a program cannot listen where it should, with the setting to change. */
import { StartupFailure } from "./StartupFailure.ts"

export interface ListenOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** The setting to change when the port is taken, such as PORT. */
  readonly setting: string
}

const reasonFor = ({ host, port, setting }: ListenOptions, cause: unknown): string => {
  switch ((cause as NodeJS.ErrnoException | undefined)?.code) {
    case "EADDRINUSE":
      return `Port ${port} is taken by another program: stop it, or set ${setting} to a free port.`
    case "EACCES":
      return `This user may not listen on ${host}:${port}: set ${setting} to a port above 1023.`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine: set HOST to one that is, such as 127.0.0.1.`
    default:
      return `Listening on ${host}:${port} failed: ${cause}.`
  }
}

export const explainListen = (options: ListenOptions, cause: unknown): StartupFailure =>
  new StartupFailure({ message: reasonFor(options, cause) })
