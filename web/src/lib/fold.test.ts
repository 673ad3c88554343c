import { describe, expect, it } from 'vitest';
import { fold, foldWithPlaces } from './fold';
import examples from './fold.examples.json';

describe('what is compared', () => {
  it('is what the server compares', () => {
    for (const [text, folded] of Object.entries(examples)) expect(fold(text), JSON.stringify(text)).toBe(folded);
  });

  it('knows where each character comes from', () => {
    for (const text of Object.keys(examples)) {
      const { text: folded, from, to } = foldWithPlaces(text);
      expect(folded).toBe(fold(text));
      expect(from).toHaveLength(folded.length);
      // What a point is, the character behind it says.
      from.forEach((at, i) => expect(fold(text.slice(at, (to[i] ?? 0) + 2))).toContain(folded[i]));
    }
  });
});
