/** Which fragments of a track can be decoded: after one is missing, nothing before the next key frame. */

export class SequenceGate {
  #sequence = -1;
  #needKey = true;

  /** Something was lost that the sequence does not tell. */
  lose(): void {
    this.#needKey = true;
  }

  /** May the fragment be decoded? `key`: nothing before it is needed for it. */
  passes(sequence: number, key: boolean): boolean {
    const follows = sequence === (this.#sequence + 1) % 2 ** 32;
    this.#sequence = sequence;
    if (!follows) this.#needKey = true;
    if (key) this.#needKey = false;
    return !this.#needKey;
  }
}
