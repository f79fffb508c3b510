/**
 * initdb and `postgres --single` for a user that has no name.
 *
 * Container platforms start programs under numbers that /etc/passwd does not list, and those two ask getpwuid(3) who
 * they are (get_user_name, src/common/username.c); the server itself does not. So they alone run in a user namespace
 * where our number is called `nobody` (user_namespaces(7)). Outside of it nothing differs: what they make is ours.
 */
import { dieWithParent } from "../../platform/DieWithParent.ts"
import { nobody, type PostgresUser, type Ran, runAsPostgres } from "./PostgresUser.ts"

/** What PostgreSQL's programs say where getpwuid knows nobody of that number. */
export const lacksName = (output: string): boolean => /could not look up effective user ID/.test(output)

/** These options came with util-linux 2.38. The kernel or a container's seccomp profile may refuse the call. */
const inNamespace = ["unshare", "--user", `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`, "--"]

/** Tried with `id`, which also tells whether /etc/passwd lists `nobody` at all. */
const canBorrow = (user: PostgresUser): boolean =>
  runAsPostgres(user, [...inNamespace, "id", "-un"]).status === 0

/**
 * Runs a short command as the user to its end, under a borrowed name if it stops for want of one. Where none can be
 * had, the answer is the command's own complaint.
 */
export const runWithName = (user: PostgresUser, command: ReadonlyArray<string>, stdin = ""): Ran => {
  const ran = runAsPostgres(user, command, stdin)
  if (!lacksName(ran.output) || !canBorrow(user)) return ran
  // Entering the namespace clears the wish to die with the parent (commit_creds in kernel/cred.c): it is said again.
  return runAsPostgres(user, [...inNamespace, ...dieWithParent(command, "KILL")], stdin)
}
