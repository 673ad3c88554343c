/** What was done, in a line below the page, until the next or until it is closed; failures stay beside what failed. */

class Notices {
  said = $state('');

  say(words: string): void {
    this.said = words;
  }

  clear(): void {
    this.said = '';
  }
}

export const notices = new Notices();
