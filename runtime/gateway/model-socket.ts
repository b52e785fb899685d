import { Socket } from 'node:net';

type Written = (error?: Error | null) => void;

/**
 * A connection to the model of which an answer is read that came before the model closed it. A server may refuse a body
 * before it has read it and close at once: the next piece then cannot be written, and for that Node would throw away what
 * has arrived.
 */
export class ModelSocket extends Socket {
  #lost: Error | undefined;

  override _write(chunk: unknown, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, this.#heldBack(written));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], written: Written): void {
    super._writev?.(chunks, this.#heldBack(written));
  }

  /** What has arrived, then nothing: the connection is gone for reading, too. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const more = super.push(chunk, encoding);
    if (chunk === null && this.#lost !== undefined) {
      this.destroy(this.#lost);
    }
    return more;
  }

  #heldBack(written: Written): Written {
    return (error) => {
      if (error) {
        this.#lost = error;
      } else {
        written();
      }
    };
  }
}
