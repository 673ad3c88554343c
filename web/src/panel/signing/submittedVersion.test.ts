import { describe, expect, it } from 'vitest';
import type { SigningState } from '../../lib/types';
import { SubmittedVersion } from './submittedVersion.svelte';

const submitted = (sha256: string, current = true): NonNullable<SigningState['transcript']> => ({
  ...{ id: sha256, version: 1, sha256, lines: 3, through: 0, at_utc_ms: 0, current },
});

describe('the words that a sheet was opened with', () => {
  it('are these for as long as nobody changes them', () => {
    const words = new SubmittedVersion(submitted('a'));
    expect([words.check(submitted('a')), words.gone]).toEqual([true, false]);
  });

  it('are gone when others are submitted while somebody draws, and stay so', () => {
    const words = new SubmittedVersion(submitted('a'));
    expect(words.check(submitted('b'))).toBe(false);
    expect(words.check(submitted('a')), 'the same again: the sheet is to be opened anew').toBe(false);
    expect(words.version?.sha256).toBe('a');
  });

  it('are gone when they are changed and not submitted yet', () => {
    expect(new SubmittedVersion(submitted('a')).check(submitted('a', false))).toBe(false);
    expect(new SubmittedVersion(submitted('a')).check(null)).toBe(false);
    expect(new SubmittedVersion(null).gone).toBe(true);
  });
});
