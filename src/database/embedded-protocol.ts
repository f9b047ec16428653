/** Parent to the process of the embedded database. */
export interface Statement {
  readonly id: number;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Back: first one of id 0, when it is open or cannot be, then one for each statement. */
export interface StatementResult {
  readonly id: number;
  readonly rows?: readonly unknown[];
  readonly error?: string;
}
