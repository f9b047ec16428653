/** What the process of the embedded database can be asked to do. The first call is `open`, the last `close`. */
export type DatabaseCalls = {
  /** The folder of the database and its lock. */
  open: { argument: string; answer: undefined };
  /** Rows of the last statement. */
  query: { argument: Statement; answer: readonly unknown[] };
  close: { argument: undefined; answer: undefined };
};

export interface Statement {
  /** Several statements when there are no values. */
  readonly text: string;
  readonly values?: readonly unknown[];
}
