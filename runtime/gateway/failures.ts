/** An answer that the gateway gives itself. Its reason is a word of ours, never text of a request. */
export class Refusal extends Error {
  /**
   * @param status HTTP status
   * @param reason word for the answer and the log
   * @param retryAfter seconds after which it may go better
   */
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly retryAfter?: number,
  ) {
    super(reason);
    this.name = 'Refusal';
  }
}

/** The caller has left; nobody is there to be answered. */
export class CallerGone extends Error {
  constructor() {
    super('the caller has left');
    this.name = 'CallerGone';
  }
}

/** The word for a failure of the model's connection. */
export function upstreamRefusal(error: unknown): Refusal {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  switch (code) {
    case 'ECONNREFUSED':
      return new Refusal(503, 'model_not_listening', 1);
    case 'ETIMEDOUT':
      return new Refusal(504, 'model_too_slow');
    default:
      return new Refusal(502, code.startsWith('HPE_') ? 'model_speaks_no_http' : 'model_connection_lost');
  }
}
