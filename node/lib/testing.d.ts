import type { SentMessage } from './index';

export type { SentAttachment, SentEnvelope, SentHeader, SentMailbox, SentMessage } from './index';

/** What is submitted while a test captures it. */
export interface Outbox extends Disposable {
  /**
   * The messages in the order of their submission: one for all its recipients, or in a mail merge one for each. They can
   * be read after the end of the capture, and those that were submitted before it and still wait come yet.
   */
  readonly messages: SentMessage[];
  /** Forgets the messages, but not the idempotency keys that they were submitted under. */
  clear(): void;
  /** Ends the capture; once more does nothing. `using` does it too. */
  end(): void;
}

/**
 * Has all that is submitted from now on stay in memory, whichever Pickup it is submitted to, until the outbox is ended.
 * A pickup directory that is opened meanwhile need not exist, and nothing is done with it; what `Pickup.memory()` made
 * keeps its own messages. Of several captures the newest has it. This holds for the whole process, but a worker thread
 * that captures itself has what it submits. Messages may take up to 256 MiB: beyond that it is a PickupError.
 *
 * ```js
 * let outbox;
 * beforeEach(() => { outbox = capture(); });
 * afterEach(() => { outbox.end(); });
 * ```
 */
export function capture(): Outbox;

/**
 * The messages in a pickup file that pmtaemail wrote, of a mail merge one for each recipient; they have no `id`.
 * `received` is when PowerMTA took the file: the Date of a merge that gives none; now by default.
 * @throws {Error} if the file is none of ours.
 */
export function read(file: Uint8Array, options?: { received?: Date }): SentMessage[];
