/** Real faults that tests show, without figures of their own here: they run with every `npm test`. Written by hand. */
export const BY_TESTS: ReadonlyArray<readonly [fault: string, shown: string, test: string]> = [
  [
    "1, 3 or 50 operations of a hundred are bad when the ledger comes to them",
    "they fail for their reason, the others settle within three ledgers, by two transactions in all",
    "test/issuance/BadOperations.test.ts",
  ],
  [
    "a worker sleeps beyond its lease and wakes inside a transaction",
    "every stale write is refused, nobody is paid twice",
    "test/chaos/Sleeping.test.ts",
  ],
  [
    "kill -9 of all processes at once, again and again on one home",
    "what was accepted is paid, once",
    "test/chaos/WholeTree.test.ts",
  ],
  [
    "SIGTERM, SIGINT and Ctrl-C under load, and the death of the supervisor or the launcher alone",
    "nothing stays behind, the next start pays the rest",
    "test/chaos/AloneAndOrderly.test.ts",
  ],
  [
    "every answer that a sending can have, each provoked",
    "the verdict is the ledger's, whatever was answered",
    "test/issuance/ErrorTable.test.ts",
  ],
  [
    "2, 4 and 8 workers, some killed, some joining, some asleep",
    "the tables' triggers see no binding at a sequence that is settled",
    "test/issuance/ManyWorkers.test.ts",
  ],
  [
    "a failure before and after any statement and call, in random sequences of orders, steps and ledgers",
    "a model of the books agrees with ledger and database after each",
    "test/properties/ModelBased.test.ts",
  ],
  [
    "a dump from before the newest payments is restored",
    "nothing is issued until `nova recover` has read the ledger; then nothing is paid twice",
    "test/operate/Recover.test.ts",
  ],
]
