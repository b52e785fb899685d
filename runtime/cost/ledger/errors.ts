/** A ledger that cannot do what was asked of it; the message says why. */
export class LedgerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Files of the ledger that cannot be read. All other days can be, with `skipDamaged`. */
export class DamagedLedgerError extends LedgerError {
  /**
   * @param damaged each damaged day, its file and what is wrong with it
   */
  constructor(readonly damaged: readonly { readonly day: string; readonly file: string; readonly reason: string }[]) {
    const lines = damaged.map(({ file, reason }) => `${file} is damaged: ${reason}`);
    super(`${lines.join('\n')}\ncollect the day again, or read the others with skipDamaged`);
  }
}
