import type { CacheAnswer } from '../cache/types';
import type { Exchange } from './exchange';
import { Refusal } from './failures';
import { sendHit } from './flights';
import type { Lookup } from './lookup';
import { ModelAnswer } from './model-answer';
import type { Question, Relay, Verdict } from './relay';
import { isStorable, storedValue } from './stored';

/**
 * Answers requests whose bodies are too large to hold: they stream through, and are hashed as they do.
 *
 * The hash, and with it the key, is known when the last piece has come. That piece is held back until the cache was asked:
 * on a hit the model's connection is cut, so that it computes nothing, and the caller gets what the cache has. A caller
 * that states the hash ahead (Content-Digest, RFC 9530) is looked up at once, and on a hit the model is not bothered at
 * all; but its body is still read to the end, and only who has sent the very image gets what was said of it.
 */
export class LargeBodies {
  constructor(private readonly relay: Relay) {}

  /**
   * @param question its body is held in part or not at all
   * @throws Refusal, CallerGone
   */
  async answer(exchange: Exchange, question: Question, given: Lookup | undefined): Promise<void> {
    // other keys need the whole text
    const lookup = given?.route.key === 'body' ? given : undefined;
    if (lookup !== given) {
      exchange.note('bypass', 'body-too-large');
    }
    if (lookup === undefined) {
      await this.#forward(exchange, question);
      return;
    }
    const { digest } = question.intake;
    if (digest !== undefined && !lookup.fresh && (await find(lookup, digest)) !== undefined) {
      await this.#compare(exchange, question, lookup, digest);
      return;
    }
    await this.#ask(exchange, question, lookup);
  }

  async #forward(exchange: Exchange, question: Question): Promise<void> {
    const { digest } = question.intake;
    const verdict = digest === undefined ? undefined : checked(digest);
    const ticket = this.relay.enter(exchange.priority);
    const answer = await this.relay.askStreaming(ticket, question, exchange, verdict);
    exchange.waitedMs = ticket.waitedMs;
    if (answer instanceof ModelAnswer) {
      await exchange.sendLive(answer);
    }
  }

  /** There is an answer for the hash that the caller states: does the caller have the image? */
  async #compare(exchange: Exchange, { body }: Question, lookup: Lookup, digest: Buffer): Promise<void> {
    await body.stream(undefined, false);
    verify(body.sha256(), digest);
    // it may have been invalidated meanwhile
    const answer = await find(lookup, digest);
    if (answer === undefined) {
      throw new Refusal(503, 'send_again', 1);
    }
    sendHit(exchange, answer);
  }

  async #ask(exchange: Exchange, question: Question, lookup: Lookup): Promise<void> {
    const { kind, route, fresh } = lookup;
    const { digest } = question.intake;
    let hash: Buffer | undefined;
    let since = kind.mark();
    const ticket = this.relay.enter(exchange.priority);
    const answer = await this.relay.askStreaming<CacheAnswer>(ticket, question, exchange, async (sha256) => {
      hash = sha256;
      if (digest !== undefined) {
        verify(sha256, digest);
      }
      const found = fresh ? undefined : await find(lookup, sha256);
      since = kind.mark();
      return found;
    });
    exchange.waitedMs = ticket.waitedMs;
    if (!(answer instanceof ModelAnswer)) {
      sendHit(exchange, answer.decided);
      return;
    }
    exchange.note('miss');
    const held = isStorable(answer, route) ? await answer.collect(route.maxResponseBytes) : undefined;
    if (held === undefined || hash === undefined) {
      await exchange.sendLive(answer);
      return;
    }
    const computed = { value: storedValue(answer, held, route), ttlSeconds: route.ttl };
    kind.set(lookup.query({ sha256: hash }), computed, since).catch(() => undefined);
    exchange.sendHeld(answer, held);
  }
}

async function find({ kind, query }: Lookup, sha256: Buffer): Promise<CacheAnswer | undefined> {
  const found = await kind.get(query({ sha256 }));
  return found?.value === undefined ? undefined : found;
}

/** Decides nothing but whether the body is the one that was stated. */
function checked(digest: Buffer): Verdict<never> {
  return async (sha256) => {
    verify(sha256, digest);
    return Promise.resolve(undefined);
  };
}

function verify(sha256: Buffer, digest: Buffer): void {
  if (!sha256.equals(digest)) {
    throw new Refusal(400, 'digest_mismatch');
  }
}
