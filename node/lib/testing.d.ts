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
 * Keeps everything submitted from now on in memory, through any Pickup, until the outbox is ended.
 * A pickup directory that is opened meanwhile need not exist and is not touched; pickups made by `Pickup.memory()`
 * keep their own messages. If there are several captures, the newest one gets the messages. This applies to the
 * whole process, except that a worker thread with a capture of its own gets what it submits. Messages may take up
 * to 256 MiB; beyond that, submitting fails with a PickupError.
 *
 * ```js
 * let outbox;
 * beforeEach(() => { outbox = capture(); });
 * afterEach(() => { outbox.end(); });
 * ```
 */
export function capture(): Outbox;

/**
 * The messages in a pickup file written by pmtaemail, one for each recipient of a mail merge; they have no `id`.
 * `received` is when PowerMTA took the file, by default now; it becomes the Date of a merge that gives none.
 * @throws {Error} if the file was not written by pmtaemail.
 */
export function read(file: Uint8Array, options?: { received?: Date }): SentMessage[];
